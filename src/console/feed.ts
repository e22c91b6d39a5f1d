import { ApiError } from './api.js';
import type { Api } from './api.js';
import type { HelloBody, HistoryBody, SampleBody } from './bodies.js';
import { EventParser } from '../base/event-parser.js';

/** Waiting times before the stream is asked for again, ms: the last one holds. */
const RETRY_MS = [500, 1_000, 2_000, 5_000];
/** A stream that brings nothing for so long is dead, ms; samples come each second. */
const SILENCE_MS = 8_000;
/**
 * A page that nobody has seen for so long lets go of its stream, ms: a browser has six connections to
 * one server for all its tabs, and the gateway need not work for it.
 */
const UNSEEN_MS = 60_000;

export type FeedState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly reason: string; readonly status: number };

export interface FeedListener {
  hello(body: HelloBody): void;
  history(body: HistoryBody): void;
  sample(body: SampleBody): void;
  state(state: FeedState): void;
}

/** The stream of samples, asked for again for as long as the page lives. */
export class Feed {
  private attempt: AbortController | null = null;
  private failures = 0;
  private timer = 0;
  private unseen = 0;

  constructor(
    private readonly api: Api,
    private readonly listener: FeedListener,
  ) {
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.unseen);
      if (document.hidden) this.unseen = setTimeout(() => this.rest(), UNSEEN_MS);
      else if (this.attempt === null) this.start();
    });
  }

  /** Begins, or begins anew, with the token there is now. */
  start(): void {
    this.attempt?.abort();
    clearTimeout(this.timer);
    this.failures = 0;
    void this.run();
  }

  /** Lets go of the stream until the page is seen again. */
  private rest(): void {
    clearTimeout(this.timer);
    this.attempt?.abort();
    this.attempt = null;
    this.listener.state({ kind: 'lost', reason: 'resting', status: 0 });
  }

  private async run(): Promise<void> {
    const attempt = new AbortController();
    this.attempt = attempt;
    this.listener.state({ kind: 'connecting' });
    let silence = 0;
    const watch = () => {
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(), SILENCE_MS);
    };
    let lost = new ApiError(0, 'the gateway went away');
    try {
      watch();
      const reader = await this.api.stream('stats/stream', attempt.signal);
      const parser = new EventParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        watch();
        for (const { name, data } of parser.push(value)) this.tell(name, data);
      }
    } catch (error) {
      if (error instanceof ApiError) lost = error;
    }
    clearTimeout(silence);
    attempt.abort();
    // Begun anew meanwhile: the other attempt tells how it goes.
    if (this.attempt !== attempt) return;
    this.listener.state({ kind: 'lost', reason: lost.message, status: lost.status });
    const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
    // Without the right token asking again changes nothing: a new one begins it anew.
    if (lost.status !== 401) this.timer = setTimeout(() => void this.run(), wait);
  }

  private tell(name: string, data: string): void {
    const body: unknown = JSON.parse(data);
    if (name === 'hello') this.listener.hello(body as HelloBody);
    else if (name === 'history') this.listener.history(body as HistoryBody);
    else if (name === 'sample') {
      this.failures = 0;
      this.listener.state({ kind: 'live' });
      this.listener.sample(body as SampleBody);
    }
  }
}
