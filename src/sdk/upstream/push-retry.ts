import { randomUUID } from 'node:crypto';
import { Backoff } from '../../base/backoff.js';
import type { Clock } from '../../base/clock.js';
import { PushError } from './errors.js';
import { pushBytes } from './push-content.js';
import type { PushFields } from './push-content.js';

/** What another attempt may bring to a better end. */
const PASSING: ReadonlySet<string> = new Set([
  'GATEWAY_UNREACHABLE',
  'OUTCOME_UNKNOWN',
  'NOT_PRIMARY',
  'REPLICATION_LAG',
  'SHUTTING_DOWN',
]);
/** So many pushes, and bytes of them, wait to be tried again; further ones are told of their failure at once. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 64 * 1_048_576;
const PAUSES = { firstMs: 100, longestMs: 5_000, jitter: 0.3 };

/** Pushes that are tried again (`retryForMs`), until their upstream stops. */
export class PushRetries {
  private stopped = false;
  /** Each ends a pause now. */
  private readonly pauses = new Set<() => void>();
  private waitingBytes = 0;

  /** @param attempt one push. */
  constructor(
    private readonly clock: Clock,
    private readonly attempt: (fields: PushFields) => Promise<void>,
  ) {}

  /**
   * Pushes until it is taken, refused for good, the time is up, or `stop`; always under one
   * idempotency key.
   * @throws {PushError} the last one; where `stop` ended it, or too many wait to be tried again, its code is
   * kept and its message says so.
   */
  async push(fields: PushFields, forMs: number): Promise<void> {
    const until = this.clock.now() + forMs;
    const key = fields.idempotencyKey ?? '';
    const keyed = { ...fields, idempotencyKey: key === '' ? randomUUID() : key };
    const backoff = new Backoff(PAUSES);
    for (;;) {
      try {
        await this.attempt(keyed);
        return;
      } catch (error) {
        const left = until - this.clock.now();
        if (!(error instanceof PushError) || !PASSING.has(error.code) || left <= 0) throw error;
        const bytes = pushBytes(keyed);
        if (this.isFull(bytes)) throw notAgain(error, 'too many pushes wait to be');
        this.waitingBytes += bytes;
        await this.pause(Math.min(left, backoff.next()));
        this.waitingBytes -= bytes;
        if (this.stopped) throw notAgain(error, 'the upstream was stopped');
      }
    }
  }

  /** Tries nothing again from now on: what waits to be, fails at once. Idempotent. */
  stop(): void {
    this.stopped = true;
    for (const end of [...this.pauses]) end();
  }

  private isFull(bytes: number): boolean {
    return this.pauses.size >= MAX_WAITING || this.waitingBytes + bytes > MAX_WAITING_BYTES;
  }

  private pause(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.pauses.delete(end);
        resolve();
      };
      const cancel = this.clock.after(ms, end);
      this.pauses.add(end);
    });
  }
}

function notAgain(last: PushError, why: string): PushError {
  return new PushError(last.code, `${last.message}; not tried again, ${why}`, { cause: last });
}
