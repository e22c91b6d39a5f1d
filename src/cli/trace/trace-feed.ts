import { messageOf } from '../../base/errors.js';
import { Backoff } from '../../sdk/client/core/backoff.js';
import { OpsRefusal } from '../ops-client.js';
import type { OpsClient } from '../ops-client.js';
import { EventReader } from './event-reader.js';
import type { TracedEvent } from './event-reader.js';

/** Whom to follow. */
export interface TraceQuery {
  readonly openid?: string | undefined;
  readonly session?: string | undefined;
  readonly payload: boolean;
}

/** What a feed tells. */
export interface FeedObserver {
  onEvent(event: TracedEvent): void;
  /** There is no stream, or no more; it is tried again. Told once, until there is one. */
  onAway(reason: string): void;
}

/** A gateway that restarts is back within seconds. */
const BACKOFF = { minDelayMs: 200, maxDelayMs: 5_000 };
/** The gateway says something every 10 s: after so long it is gone, ms. */
const SILENCE_MS = 30_000;

/** The trace of one client, over as many streams as it takes. */
export class TraceFeed {
  private readonly backoff = new Backoff(BACKOFF);
  private away = false;
  private query: TraceQuery;

  constructor(
    private readonly client: OpsClient,
    query: TraceQuery,
    private readonly observer: FeedObserver,
  ) {
    this.query = query;
  }

  /**
   * Reads until told to end.
   * @throws {OpsRefusal} where the gateway answers that it will not tell.
   */
  async run(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      try {
        await this.readStream(end);
        if (!end.aborted) this.tellAway('the gateway ended the stream');
      } catch (error) {
        if (end.aborted) return;
        if (error instanceof OpsRefusal && !error.passing) throw error;
        this.tellAway(messageOf(error));
      }
      await pause(this.backoff.next(), end);
    }
  }

  private async readStream(end: AbortSignal): Promise<void> {
    const response = await this.client.open(this.path(), SILENCE_MS, end);
    const reader = new EventReader();
    response.setEncoding('utf8');
    try {
      for await (const text of response) {
        for (const event of reader.feed(text as string)) this.take(event);
      }
    } catch (error) {
      // What Node calls a stream that ends in its middle, as it does when the gateway stops.
      if (messageOf(error) !== 'aborted') throw error;
    }
  }

  private take(event: TracedEvent): void {
    this.away = false;
    this.backoff.reset();
    const { openid } = event.data;
    // The session may be gone when we come again; its openid is not.
    if (event.event === 'open' && typeof openid === 'string') {
      this.query = { openid, payload: this.query.payload };
    }
    this.observer.onEvent(event);
  }

  private tellAway(reason: string): void {
    if (!this.away) this.observer.onAway(reason);
    this.away = true;
  }

  private path(): string {
    const { openid, session, payload } = this.query;
    const query = new URLSearchParams({
      ...(openid === undefined ? {} : { openid }),
      ...(session === undefined ? {} : { session }),
      ...(payload ? { payload: '1' } : {}),
    });
    return `/trace?${query.toString()}`;
  }
}

function pause(ms: number, end: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (end.aborted) return resolve();
    const timer = setTimeout(done, ms);
    end.addEventListener('abort', done);
    function done(): void {
      clearTimeout(timer);
      end.removeEventListener('abort', done);
      resolve();
    }
  });
}
