import { Backoff } from '../../base/backoff.js';
import type { Cancel, Clock } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { GrpcStatus } from '../../grpc/unary-caller.js';
import { RegistrationError } from './errors.js';
import { CallError } from './gateway-caller.js';
import type { GatewayCaller } from './gateway-caller.js';
import type { GatewayWatch } from './gateway-watch.js';

/** What an upstream tells each gateway about itself. */
export interface Registrant {
  /** host:port, or :port for the host that the call comes from. */
  readonly address: string;
  readonly zone: string;
  readonly serviceName: string;
  /** `process_stream`, `dedupe`. */
  readonly capabilities: string[];
}

/** How a registration goes on. */
export interface RegistrationReport {
  readonly gateway: string;
  readonly outcome: 'registered' | 'refused' | 'retrying';
  /** One line: the gateway's message, or why it could not be asked. */
  readonly message: string;
  /** Until the next attempt, ms; 0 where none follows, unless the gateway goes and comes back. */
  readonly retryInMs: number;
}

/** The gateway's grpc.secret is another: what RegistrationError and reports call that gRPC status. */
const UNAUTHENTICATED = 'UNAUTHENTICATED';
/** Refusals that the same registration would meet again. */
const FINAL: ReadonlySet<string> = new Set([
  'INVALID_ADDRESS',
  'INVALID_ZONE_ID',
  'NOT_ALLOWED',
  UNAUTHENTICATED,
]);
/** Refusals of a gateway that has the registration, or whose primary may: nobody need wait for its success. */
const SERVED_ALREADY: ReadonlySet<string> = new Set([
  'NOT_PRIMARY',
  'REPLICATION_LAG',
  'JOURNAL_FAILED',
]);
const PAUSES = { firstMs: 200, longestMs: 5_000 };

/**
 * Registers at one gateway, again and again until it is accepted, refused for good, or stopped; and
 * again when the gateway was gone and is back, for it may have forgotten, or have changed its mind.
 */
export class Registration {
  /** Settles once: resolved when registered, safely or not, asked of a backup, or stopped; rejected with a RegistrationError. */
  readonly done: Promise<void>;
  private resolve: () => void = () => undefined;
  private reject: (error: RegistrationError) => void = () => undefined;
  private readonly backoff = new Backoff(PAUSES);
  private stopped = false;
  private attempting = false;
  private readonly watch: GatewayWatch;
  private cancel: Cancel | null = null;

  constructor(
    private readonly gateway: GatewayCaller,
    private readonly registrant: Registrant,
    private readonly clock: Clock,
    private readonly report: (report: RegistrationReport) => void,
  ) {
    this.watch = gateway.watch(() => this.again());
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever does not wait for it hears of a refusal by the report.
    this.done.catch(() => undefined);
  }

  start(): void {
    void this.attempt();
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
    this.watch.stop();
    this.resolve();
  }

  private again(): void {
    // An attempt under way, or soon to be, will do.
    if (this.stopped || this.attempting || this.cancel !== null) return;
    this.backoff.reset();
    void this.attempt();
  }

  private async attempt(): Promise<void> {
    const { address, zone: zoneId, serviceName, capabilities } = this.registrant;
    this.attempting = true;
    this.cancel = null;
    try {
      const request = { address, zoneId, serviceName, capabilities };
      const { success, errorCode, message } = await this.gateway.register(request);
      this.attempting = false;
      if (this.stopped) return;
      if (success) this.accepted(message);
      else this.refused(errorCode, message);
    } catch (error) {
      this.attempting = false;
      if (this.stopped) return;
      if (isUnauthenticated(error)) this.refused(UNAUTHENTICATED, error.message);
      else this.retry(messageOf(error));
    }
  }

  private accepted(message: string): void {
    this.watch.start();
    this.tell('registered', message, 0);
    this.resolve();
  }

  private refused(code: string, message: string): void {
    const reason = `${code}: ${message}`;
    if (FINAL.has(code)) {
      // A gateway that comes back may have another configuration.
      this.watch.start();
      this.tell('refused', reason, 0);
      const what = `gateway ${this.gateway.address} refused to register ${this.registrant.address}`;
      this.reject(new RegistrationError(code, `${what}: ${message}`));
      return;
    }
    // It is served there, or by the primary that hands it on; asked again, the gateway accepts once it can.
    if (SERVED_ALREADY.has(code)) this.resolve();
    this.retry(reason);
  }

  private retry(reason: string): void {
    const pause = this.backoff.next();
    this.tell('retrying', reason, pause);
    this.cancel = this.clock.after(pause, () => void this.attempt());
  }

  private tell(outcome: RegistrationReport['outcome'], message: string, retryInMs: number): void {
    try {
      this.report({ gateway: this.gateway.address, outcome, message, retryInMs });
    } catch {
      // A failing listener must not end the registration.
    }
  }
}

function isUnauthenticated(error: unknown): error is CallError {
  return error instanceof CallError && error.failure.status === GrpcStatus.UNAUTHENTICATED;
}
