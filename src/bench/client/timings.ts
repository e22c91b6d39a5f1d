import { LatencyRecorder } from './latency-recorder.js';

/** Two readings of every piece of work: since it was due, and since it was begun. */
export class Timings {
  /** What a user waits: nothing is omitted where the work could not begin in time. */
  readonly sinceDue = new LatencyRecorder();
  /** What the gateway and the network take. */
  readonly sinceBegun = new LatencyRecorder();

  /** All of performance.now(), ms. */
  record(dueAt: number, begunAt: number, now = performance.now()): void {
    this.sinceDue.record(now - dueAt);
    this.sinceBegun.record(now - begunAt);
  }

  reset(): void {
    this.sinceDue.reset();
    this.sinceBegun.reset();
  }
}
