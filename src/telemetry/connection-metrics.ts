import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { exportLabelledTally } from './tally.js';

/** Seconds: a failed login to a client that stays for days. */
const DURATION_BUCKETS = [0.1, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/** Who ended a connection, as an operator asks. */
const REASONS = { peer: 'client', local: 'gateway', loss: 'lost' } as const;

/**
 * Ends that every gateway sees sooner or later, exported at 0 from the start: `increase()` of a series that is
 * born at 20,000 is 0, and the first mass loss of a process would go unseen.
 */
const USUAL_ENDS = [
  ['loss', 'none'],
  ['peer', 'none'],
  ['local', 'none'],
  ['local', 'overloaded'],
  ['local', 'replaced'],
  ['local', 'ack_timeout'],
] as const;

/** What the ends of client connections, and their returns, count. None of it is per frame. */
export class ConnectionMetrics {
  /** Sessions that a new connection took up again, by what became of their messages. */
  readonly reconnects;
  private readonly disconnects;
  private readonly duration;

  constructor(registry: Registry) {
    this.reconnects = exportLabelledTally(
      registry,
      'gatesvr_reconnects_total',
      'Sessions that a new connection resumed: recovered, or unrecovered where messages may be missing',
      'outcome',
      ['recovered', 'unrecovered'],
    );
    this.disconnects = new Counter({
      name: 'gatesvr_disconnects_total',
      help: 'Client connections that ended, by who ended them and name of the close code',
      labelNames: ['reason', 'code'],
      registers: [registry],
    });
    for (const [by, code] of USUAL_ENDS) this.disconnects.inc({ reason: REASONS[by], code }, 0);
    this.duration = new Histogram({
      name: 'gatesvr_connection_duration_seconds',
      help: 'How long client connections lasted, by transport',
      labelNames: ['transport'],
      buckets: DURATION_BUCKETS,
      registers: [registry],
    });
  }

  /**
   * A client connection ended.
   * @param code name of the close code; one of the catalogue, never the peer's own text.
   */
  ended(transport: string, by: keyof typeof REASONS, code: string, seconds: number): void {
    this.disconnects.inc({ reason: REASONS[by], code });
    this.duration.observe({ transport }, seconds);
  }
}
