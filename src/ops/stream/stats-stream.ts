import type { FastifyReply } from 'fastify';
import type { Cancel, Clock } from '../../base/clock.js';
import { EventStream, eventText, refuseAbove } from './event-stream.js';
import { PointHistory } from './point-history.js';
import type { StatsSampler } from './stats-sampler.js';

/** How often all listeners are told, ms. */
const SAMPLE_INTERVAL_MS = 1_000;
/** Consoles that are open at once; each costs a socket and a few KB a second. */
const MAX_LISTENERS = 32;

/** What a listener is told first, about itself and the gateway. */
export interface Hello {
  readonly version: string;
  /** Whether it may change things, too. */
  readonly admin: boolean;
  /** Of the process, seconds since 1970. */
  readonly started: number;
}

/**
 * One sample a second for everybody who listens, taken and rendered once. While nobody listens there
 * is no timer, and nothing is computed.
 */
export class StatsStream {
  private readonly listeners = new Set<EventStream>();
  private readonly history = new PointHistory();
  private cancel: Cancel | null = null;
  private latest = '';

  constructor(
    private readonly sampler: StatsSampler,
    private readonly clock: Clock,
  ) {}

  /** Answers a request with `hello`, `history`, and a `sample` at once and each second. @throws {HttpRefusal} 503 */
  open(reply: FastifyReply, hello: Hello): void {
    refuseAbove(this.listeners.size, MAX_LISTENERS);
    const stream = new EventStream(reply, () => this.left(stream));
    stream.send(eventText('hello', { ...hello, interval_ms: SAMPLE_INTERVAL_MS }));
    stream.send(eventText('history', this.history.columns()));
    this.listeners.add(stream);
    if (this.cancel !== null) return void stream.send(this.latest);
    this.sampler.start();
    this.cancel = this.clock.every(SAMPLE_INTERVAL_MS, () => this.tell());
    this.tell();
  }

  /** Ends every stream. Idempotent. */
  stop(): void {
    for (const stream of this.listeners) stream.end();
    this.rest();
  }

  private tell(): void {
    const sample = this.sampler.sample();
    this.history.add(sample.point);
    this.latest = eventText('sample', sample);
    for (const stream of this.listeners) stream.send(this.latest);
  }

  private left(stream: EventStream): void {
    this.listeners.delete(stream);
    if (this.listeners.size === 0) this.rest();
  }

  private rest(): void {
    this.cancel?.();
    this.cancel = null;
    this.sampler.stop();
  }
}
