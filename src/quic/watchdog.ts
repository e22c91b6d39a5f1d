import { Worker } from 'node:worker_threads';
import type { Cancel, Clock } from '../base/clock.js';
import { SystemClock } from '../base/clock.js';

/** How often the main thread shows that it runs, and the worker looks, ms. */
const BEAT_MS = 500;

/** Silence after which the process is lost, ms: far above any pause that work or GC makes. */
const DEFAULT_PATIENCE_MS = 5_000;

/**
 * What the worker runs; text, because no file would be found both beside the sources and in dist. It
 * counts its own ticks and never looks at a clock: while the process is stopped (SIGSTOP) the worker
 * is too, and a late tick is one tick.
 */
const WORKER = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const beats = new Int32Array(workerData.shared);
let seen = -1;
let missed = 0;
setInterval(() => {
  const beat = Atomics.load(beats, 0);
  missed = beat === seen ? missed + 1 : 0;
  seen = beat;
  if (missed < workerData.patience) return;
  writeSync(2, 'gatesvr: the event loop has not turned for ' + workerData.seconds + ' s; ending the process\\n');
  process.kill(process.pid, 'SIGKILL');
}, workerData.period);
`;

/**
 * The last line of defence against an endless loop inside native code (QUIC-NOTES.md, "Known
 * weaknesses"): another thread ends the process with SIGKILL when the event loop stands still, so
 * that a supervisor or a standby takes over. `start` and `stop` are idempotent.
 */
export class Watchdog {
  private readonly beats = new Int32Array(new SharedArrayBuffer(4));
  private worker: Worker | null = null;
  private stopBeating: Cancel | null = null;

  constructor(
    private readonly patience: number = DEFAULT_PATIENCE_MS,
    private readonly clock: Clock = new SystemClock(),
  ) {}

  start(): void {
    if (this.worker !== null) return;
    const workerData = {
      shared: this.beats.buffer,
      period: BEAT_MS,
      patience: Math.ceil(this.patience / BEAT_MS),
      seconds: this.patience / 1000,
    };
    // Flags of this process (an input type, a profiler) are not for the worker.
    const options = { eval: true, workerData, name: 'watchdog', execArgv: [] };
    this.worker = new Worker(WORKER, options);
    this.worker.unref();
    this.stopBeating = this.clock.every(BEAT_MS, () => Atomics.add(this.beats, 0, 1));
  }

  async stop(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    this.stopBeating?.();
    this.stopBeating = null;
    await worker?.terminate();
  }
}
