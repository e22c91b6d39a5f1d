import type { Logger } from '../telemetry/log.js';
import type { UpstreamMetrics } from '../telemetry/upstream-metrics.js';
import type {
  RegistrationRequest,
  RegistrationResult,
  RegistrationSink,
} from '../upstream/registration-sink.js';
import { checkRegistration, refuse } from './registration-check.js';
import type { UpstreamEntry } from './registration-check.js';
import type { UpstreamInstance } from './upstream-instance.js';
import type { UpstreamTable } from './upstream-table.js';
import type { Zone } from './zone.js';
import { MAX_INSTANCES_PER_ZONE } from './zone-pool.js';

export interface DeskOptions {
  /** How long calls under way at an instance that leaves may still take, ms. */
  readonly graceMs: number;
  /** How long a registered process may take to prove that it still lives, ms. */
  readonly conflictProbeMs: number;
}

/**
 * Decides on registrations (DESIGN.md, "Upstreams"). The same address and zone again is a success,
 * for a restarted upstream does just that; an address moves to another zone once its old entry is
 * dead; where a zone is full the longest dead instance leaves.
 */
export class RegistrationDesk implements RegistrationSink {
  private closed = false;

  /** @param onChange called after every change of the table's entries. */
  constructor(
    private readonly table: UpstreamTable,
    private readonly logger: Logger,
    private readonly metrics: UpstreamMetrics,
    private readonly options: DeskOptions,
    private readonly onChange: () => void,
  ) {}

  register(request: RegistrationRequest, done: (result: RegistrationResult) => void): void {
    const answer = (result: RegistrationResult): void => {
      this.metrics.registrations.add(result.success ? 'accepted' : result.errorCode);
      done(result);
    };
    if (this.closed) {
      answer(refuse('SHUTTING_DOWN', 'the gateway is stopping'));
      return;
    }
    const checked = checkRegistration(request);
    if ('refusal' in checked) answer(checked.refusal);
    else this.admit(checked.entry, answer);
  }

  /** Takes an instance out. @returns whether it was there. */
  deregister(address: string, zone: Zone): boolean {
    const instance = this.table.find(address.toLowerCase());
    if (instance === null || instance.entry.zone !== zone) return false;
    this.remove(instance, 'it deregistered');
    this.onChange();
    return true;
  }

  /** Refuses every later registration. */
  close(): void {
    this.closed = true;
  }

  private admit(entry: UpstreamEntry, answer: (result: RegistrationResult) => void): void {
    const known = this.table.find(entry.address);
    if (known === null) answer(this.enter(entry));
    else if (known.entry.zone === entry.zone) answer(this.renew(known, entry));
    else if (known.health.dead) answer(this.move(known, entry));
    else this.settleConflict(known, entry, answer);
  }

  /**
   * Nothing says yet that the process of the old entry is gone, but an upstream registers before it
   * listens: if nobody listens there now, the old process is dead and this is its successor.
   */
  private settleConflict(
    known: UpstreamInstance,
    entry: UpstreamEntry,
    answer: (result: RegistrationResult) => void,
  ): void {
    known.client.probe(this.options.conflictProbeMs, (result) => {
      const current = this.table.find(entry.address);
      if (current !== known) answer(refuse('REGISTER_FAILED', 'another registration came between'));
      else if (!result.alive) answer(this.move(known, entry));
      else {
        const zone = known.entry.zone;
        answer(refuse('ADDRESS_TAKEN', `${entry.address} is a live instance of zone ${zone}`));
      }
    });
  }

  private enter(entry: UpstreamEntry): RegistrationResult {
    const pool = this.table.pool(entry.zone);
    if (pool.full) {
      const dead = pool.longestDead();
      if (dead === null) {
        const message = `zone ${entry.zone} has ${MAX_INSTANCES_PER_ZONE} live instances`;
        return refuse('ZONE_FULL', message);
      }
      this.remove(dead, 'the zone is full and it was dead for the longest time');
    }
    this.table.add(entry);
    this.logger.info(describe(entry), 'upstream registered');
    this.onChange();
    return accept(`registered ${entry.address} for zone ${entry.zone}`);
  }

  private renew(known: UpstreamInstance, entry: UpstreamEntry): RegistrationResult {
    this.table.renew(known, entry);
    this.logger.info(describe(entry), 'upstream registered again');
    this.onChange();
    return accept(`${entry.address} was registered for zone ${entry.zone} already`);
  }

  private move(known: UpstreamInstance, entry: UpstreamEntry): RegistrationResult {
    this.remove(known, `its address registered for zone ${entry.zone}`);
    const result = this.enter(entry);
    this.onChange();
    return result;
  }

  private remove(instance: UpstreamInstance, reason: string): void {
    this.table.remove(instance, this.options.graceMs);
    this.logger.info({ ...describe(instance.entry), reason }, 'upstream removed');
  }
}

function accept(message: string): RegistrationResult {
  return { success: true, message, errorCode: '' };
}

function describe(entry: UpstreamEntry): { address: string; zone: string; service: string } {
  return { address: entry.address, zone: entry.zone, service: entry.serviceName };
}
