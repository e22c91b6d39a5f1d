import { Session } from 'node:inspector/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../../base/clock.js';
import { cpuPprof } from './cpu-profile.js';
import { heapPprof } from './heap-profile.js';

/** Fine enough for handlers of 100 us over a few seconds, at a cost of about 1 %. */
const CPU_INTERVAL_US = 1_000;
/** An allocation is sampled once in so many bytes; as in Go. */
const HEAP_INTERVAL_BYTES = 512 * 1024;

const compress = promisify(gzip);

/** Profiles this process, one profile at a time, into gzipped pprof. */
export class Profiler {
  private running = false;

  constructor(private readonly clock: Clock) {}

  get busy(): boolean {
    return this.running;
  }

  /**
   * Where CPU time goes during `duration` ms.
   * @param signal ends it early. @throws {Error} when `busy`.
   */
  cpu(duration: number, signal: AbortSignal): Promise<Buffer> {
    return this.alone(async (session) => {
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US });
      const startedAt = this.clock.wallTime();
      await session.post('Profiler.start');
      await this.elapse(duration, signal);
      const { profile } = await session.post('Profiler.stop');
      return cpuPprof(profile, startedAt, CPU_INTERVAL_US);
    });
  }

  /**
   * What is allocated during `duration` ms and still in use at its end.
   * @param collect collects garbage first, which holds everything up for as long as that takes.
   * @param signal ends it early. @throws {Error} when `busy`.
   */
  heap(duration: number, collect: boolean, signal: AbortSignal): Promise<Buffer> {
    return this.alone(async (session) => {
      const startedAt = this.clock.wallTime();
      const samplingInterval = HEAP_INTERVAL_BYTES;
      await session.post('HeapProfiler.startSampling', { samplingInterval });
      await this.elapse(duration, signal);
      if (collect) await session.post('HeapProfiler.collectGarbage');
      const { profile } = await session.post('HeapProfiler.stopSampling');
      return heapPprof(profile, startedAt, duration, HEAP_INTERVAL_BYTES);
    });
  }

  /** The session's end ends whatever it still samples. */
  private async alone(take: (session: Session) => Promise<Uint8Array>): Promise<Buffer> {
    if (this.running) throw new Error('a profile is being taken');
    this.running = true;
    const session = new Session();
    try {
      session.connect();
      return await compress(await take(session));
    } finally {
      session.disconnect();
      this.running = false;
    }
  }

  private elapse(duration: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const cancel = this.clock.after(duration, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }
}
