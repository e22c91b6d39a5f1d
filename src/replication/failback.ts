import type { Clock } from '../base/clock.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import type { Replicator } from './replicator.js';

/** How often it is looked whether it is time, ms. */
export const FAILBACK_LOOK_MS = 1_000;
/** The time in sync doubles with each time that it asks, up to so many times. */
const MOST_DOUBLINGS = 4;

/** The gateway that wants to be primary, as failback sees it. */
export interface FailbackSubject {
  readonly role: 'starting' | 'backup' | 'primary';
  /** As a backup: it may take over. */
  readonly inSync: boolean;
  /** The peer wants to be primary as well: then neither may ask, or they would take turns. */
  readonly peerPrefersToo: boolean;
  /** How often it asked since it was last primary for long enough. */
  readonly failbacks: number;
  /** Over restarts too: one that cannot stay primary may be one that dies. @throws {CodedError} where it cannot be kept. */
  countFailbacks(failbacks: number): void;
  /** Asks the primary for a planned switch. @throws {CodedError} where that cannot be now. */
  takeOver(): void;
}

/**
 * `backup.failback: auto` on the gateway configured as primary: once it has been a backup in sync without
 * interruption for `after` ms, it asks for a planned switch. Each asking doubles that time, until it was
 * primary for `after` ms: a gateway that cannot stay primary must not make the pair change roles for ever.
 */
export class Failback {
  private syncedAt: number | null = null;
  private primarySince: number | null = null;

  constructor(
    private readonly after: number,
    private readonly subject: FailbackSubject,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** To be called every FAILBACK_LOOK_MS. */
  look(): void {
    const { role, inSync, peerPrefersToo, failbacks } = this.subject;
    const now = this.clock.now();
    if (role !== 'primary') this.primarySince = null;
    else if (now - (this.primarySince ??= now) >= this.after) this.trust();
    if (role !== 'backup' || !inSync || peerPrefersToo) this.syncedAt = null;
    else if (now - (this.syncedAt ??= now) >= this.after * 2 ** failbacks) this.ask(now);
  }

  /** It stayed primary. */
  private trust(): void {
    if (this.subject.failbacks === 0) return;
    try {
      this.subject.countFailbacks(0);
    } catch (error) {
      // The disk cannot be written; the next look tries again.
      if (!(error instanceof CodedError)) throw error;
    }
  }

  private ask(now: number): void {
    this.syncedAt = now;
    const { subject } = this;
    try {
      subject.countFailbacks(Math.min(MOST_DOUBLINGS, subject.failbacks + 1));
      subject.takeOver();
      this.log.warn('failback: this gateway asks to be primary again');
    } catch (error) {
      this.log.warn({ reason: messageOf(error) }, 'failback: the switch cannot be now');
    }
  }
}

/** The gateway that a Replicator runs. */
export function failbackSubject(replicator: Replicator): FailbackSubject {
  const { machine } = replicator;
  return {
    get role() {
      return machine.role;
    },
    get inSync() {
      return machine.paired;
    },
    get peerPrefersToo() {
      return replicator.peer?.prefersPrimary === true;
    },
    get failbacks() {
      return machine.failbacks;
    },
    countFailbacks: (failbacks) => machine.countFailbacks(failbacks),
    takeOver: () => machine.askToTakeOver(),
  };
}
