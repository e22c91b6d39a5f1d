import { memoised } from '../../base/lifecycle.js';
import { Audience } from './audience.js';

/** What the benchmark asks its server process, over the IPC channel of child_process.fork. */
export type ServerRequest =
  | { readonly ask: 'usage' }
  | { readonly ask: 'stop' }
  | { readonly ask: 'answers' }
  /** One frame of so many bytes, each `fill`, to every connection. */
  | { readonly ask: 'deliver'; readonly bytes: number; readonly fill: number };

/** Resources of the server process, since it started. */
export interface Usage {
  /** User and system CPU, us, of all threads. */
  readonly cpu: number;
  /** Resident set, bytes, after a garbage collection where node runs with --expose-gc. */
  readonly rss: number;
}

export type ServerReply =
  | { readonly port: number }
  | { readonly usage: Usage }
  /** Deliveries that were answered so far. */
  | { readonly answers: number }
  /** How many connections it was written to. */
  | { readonly delivered: number };

/** PEM texts that the server process gets in its environment, base64. */
export const CERT_VARIABLE = 'ENGINE_BENCH_CERT';
export const KEY_VARIABLE = 'ENGINE_BENCH_KEY';

/** Certificate and key of this server process. */
export function identityFromEnvironment(): { cert: string; key: string } {
  const read = (name: string): string => Buffer.from(process.env[name] ?? '', 'base64').toString();
  return { cert: read(CERT_VARIABLE), key: read(KEY_VARIABLE) };
}

/**
 * Answers the benchmark until it asks to stop, or is no more: one that failed stops nobody.
 * @param audience nobody, for a server that only echoes.
 */
export function serveRequests(
  port: number,
  stop: () => Promise<void>,
  audience: Audience = new Audience(),
): void {
  const end = memoised(stop);
  const reply = (message: ServerReply): void => void process.send?.(message);
  process.on('message', (request: ServerRequest) => {
    if (request.ask === 'usage') {
      reply({ usage: usageNow() });
    } else if (request.ask === 'answers') {
      reply({ answers: audience.answers });
    } else if (request.ask === 'deliver') {
      const frame = Buffer.alloc(request.bytes, request.fill);
      void audience.deliver(frame).then((delivered) => reply({ delivered }));
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
