import { totalmem } from 'node:os';
import type { Config } from '../config/config.js';
import { formatSize } from '../config/size.js';

/**
 * The warning that what may be kept in memory by the settings is more than there is, so that the system would end the
 * process before they refuse anything; none where it is less.
 * @param memory bytes that this process may use, by default those of its container or of the machine.
 */
export function memoryWarnings(config: Config, memory = memoryLimit()): string[] {
  const { session, overloadProtection: overload } = config;
  const limits: readonly (readonly [string, number])[] = [
    ['session.outbox_total_bytes', session.outboxTotalBytes],
    ['overload_protection.max_upstream_bytes', overload.enabled ? overload.maxUpstreamBytes : 0],
    ['session.offline_max_bytes', session.offlineTtl > 0 ? session.offlineMaxBytes : 0],
  ];
  const used = limits.filter(([, bytes]) => bytes > 0);
  const sum = used.reduce((total, [, bytes]) => total + bytes, 0);
  if (sum <= memory) return [];
  const named = used.map(([key, bytes]) => `${key} (${formatSize(bytes)})`).join(', ');
  const there = `${Math.floor(memory / 1024 ** 2)}MiB`;
  return [
    `${named}: together more than the memory that this process may use (${there}); lower them, or the system may end it under load`,
  ];
}

/** Without a limit the system tells a number beyond all memory, or 0. */
function memoryLimit(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem());
}
