import type { Push } from './payload.js';

/** How a request ended: see the error of the same name; `answered` whatever code the answer bears. */
export type RequestOutcomeName =
  'answered' | 'refused' | 'unknown' | 'timeout' | 'aborted' | 'unsent' | 'closed';

/**
 * What a client tells whoever measures it. All methods are optional, called at once, and must return
 * quickly; what they throw is reported as an `error` event. Times in ms.
 */
export interface ClientMetrics {
  /** A session is under way. @param elapsed since the attempt began. */
  connected?(transport: string, resumed: boolean, elapsed: number): void;
  /** A connection with a session ended. @param code as in the `disconnected` event. */
  disconnected?(code: number): void;
  /** Another attempt to connect is planned. */
  reconnecting?(attempt: number, delay: number): void;
  /** A request ended. @param elapsed from the call of `request` to here. */
  request?(action: string, outcome: RequestOutcomeName, elapsed: number): void;
  /** A push has arrived. @param waiting pushes that the application has not taken, this one included. */
  push?(push: Push, waiting: number): void;
  /** A frame was given to the transport. */
  sent?(bytes: number): void;
  /** A frame came. */
  received?(bytes: number): void;
}

const outcomes: Readonly<Record<string, RequestOutcomeName>> = {
  REQUEST_REFUSED: 'refused',
  OUTCOME_UNKNOWN: 'unknown',
  REQUEST_TIMEOUT: 'timeout',
  REQUEST_ABORTED: 'aborted',
  REQUEST_QUEUE_FULL: 'unsent',
  REQUEST_TOO_LARGE: 'unsent',
};

export function outcomeOf(error: Error): RequestOutcomeName {
  return outcomes[(error as { code?: string }).code ?? ''] ?? 'closed';
}

/** The metrics of an application, so called that what they throw harms nobody. */
export class GuardedMetrics implements Required<ClientMetrics> {
  constructor(
    private readonly metrics: ClientMetrics,
    private readonly report: (error: unknown) => void,
  ) {}

  connected(transport: string, resumed: boolean, elapsed: number): void {
    this.call(() => this.metrics.connected?.(transport, resumed, elapsed));
  }

  disconnected(code: number): void {
    this.call(() => this.metrics.disconnected?.(code));
  }

  reconnecting(attempt: number, delay: number): void {
    this.call(() => this.metrics.reconnecting?.(attempt, delay));
  }

  request(action: string, outcome: RequestOutcomeName, elapsed: number): void {
    this.call(() => this.metrics.request?.(action, outcome, elapsed));
  }

  push(push: Push, waiting: number): void {
    this.call(() => this.metrics.push?.(push, waiting));
  }

  sent(bytes: number): void {
    if (this.metrics.sent !== undefined) this.call(() => this.metrics.sent?.(bytes));
  }

  received(bytes: number): void {
    if (this.metrics.received !== undefined) this.call(() => this.metrics.received?.(bytes));
  }

  private call(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.report(error);
    }
  }
}
