import { memoised } from '../../base/lifecycle.js';

/** What the benchmark asks its server process, over the IPC channel of child_process.fork. */
export type ServerRequest = { readonly ask: 'usage' } | { readonly ask: 'stop' };

/** Resources of the server process, since it started. */
export interface Usage {
  /** User and system CPU, us, of all threads. */
  readonly cpu: number;
  /** Resident set, bytes, after a garbage collection where node runs with --expose-gc. */
  readonly rss: number;
}

export type ServerReply = { readonly port: number } | { readonly usage: Usage };

/** PEM texts that the server process gets in its environment, base64. */
export const CERT_VARIABLE = 'ENGINE_BENCH_CERT';
export const KEY_VARIABLE = 'ENGINE_BENCH_KEY';

/** Certificate and key of this server process. */
export function identityFromEnvironment(): { cert: string; key: string } {
  const read = (name: string): string => Buffer.from(process.env[name] ?? '', 'base64').toString();
  return { cert: read(CERT_VARIABLE), key: read(KEY_VARIABLE) };
}

/** Answers the benchmark until it asks to stop, or is no more: one that failed stops nobody. */
export function serveRequests(port: number, stop: () => Promise<void>): void {
  const end = memoised(stop);
  const reply = (message: ServerReply): void => void process.send?.(message);
  process.on('message', (request: ServerRequest) => {
    if (request.ask === 'usage') {
      reply({ usage: usageNow() });
    } else {
      void end().finally(() => process.disconnect());
    }
  });
  process.once('disconnect', () => void end());
  reply({ port });
}

function usageNow(): Usage {
  const { user, system } = process.cpuUsage();
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  return { cpu: user + system, rss: process.memoryUsage.rss() };
}
