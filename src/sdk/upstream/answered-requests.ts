import type { Clock } from '../../base/clock.js';

/** A gateway that was promoted or restarted asks again at once; a start may take a while, ms. */
const KEPT_MS = 10 * 60 * 1_000;
/** Answers that are kept, in bytes; the oldest go first. */
const MAX_BYTES = 64 * 1_048_576;

interface Answered {
  readonly response: Promise<Uint8Array>;
  /** 0 while it is worked on. */
  bytes: number;
  readonly until: number;
}

/**
 * The answers of the last minutes by session and number of the request, so that a repeat gets the same
 * answer and no handler runs twice. In the memory of this process only.
 */
export class AnsweredRequests {
  /** In order of arrival, which is the order of expiry. */
  private readonly answers = new Map<string, Answered>();
  private totalBytes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly maxBytes: number = MAX_BYTES,
  ) {}

  /** The answer to the request of that name: what is known, or what `work` comes to. */
  once(name: string, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    this.dropOld();
    const known = this.answers.get(name);
    if (known !== undefined) return known.response;
    const response = work();
    const answered = { response, bytes: 0, until: this.clock.now() + KEPT_MS };
    this.answers.set(name, answered);
    void response.then(({ length }) => {
      answered.bytes = length;
      this.totalBytes += length;
      this.dropOld();
    });
    return response;
  }

  private dropOld(): void {
    const now = this.clock.now();
    for (const [name, { until, bytes }] of this.answers) {
      if (until > now && this.totalBytes <= this.maxBytes) return;
      // What is worked on is known until it has an answer.
      if (bytes === 0) continue;
      this.answers.delete(name);
      this.totalBytes -= bytes;
    }
  }
}
