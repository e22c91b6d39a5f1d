import { setTimeout as pause } from 'node:timers/promises';
import { LatencyRecorder } from '../client/latency-recorder.js';
import { isInSync, statsOf } from './bench-pair.js';
import type { PairedGateway } from './bench-pair.js';

/** How often the primary is asked, ms. */
const SAMPLE_MS = 50;

/** How far a standby is behind while a load lasts, as its primary tells. */
export class LagSeries {
  readonly frames = new LatencyRecorder();
  readonly ms = new LatencyRecorder();
  /** Samples at which the standby was not in sync or did not confirm in time. */
  interrupted = 0;
  private running = true;
  private sampling: Promise<void> = Promise.resolve();

  constructor(private readonly primary: PairedGateway) {}

  start(): void {
    this.sampling = this.sample();
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.sampling;
  }

  private async sample(): Promise<void> {
    while (this.running) {
      const stats = await statsOf(this.primary);
      if (stats !== null) {
        this.frames.record(stats.lag_frames);
        this.ms.record(stats.lag_ms);
        if (!isInSync(stats)) this.interrupted++;
      }
      await pause(SAMPLE_MS);
    }
  }
}
