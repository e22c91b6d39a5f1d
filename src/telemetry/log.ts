import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** json: one object per line for machines; pretty: for a person at a terminal. */
  readonly format: 'json' | 'pretty';
}

/**
 * The process's logger; every part gets a child of it with its `part` set. No payload and no token
 * is ever passed to it, and nothing is logged per request at info.
 * @param destination where lines go instead of standard output; only for json.
 */
export function createLogger(options: LogOptions, destination?: DestinationStream): Logger {
  const base = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (options.format === 'pretty') {
    const pretty = { target: 'pino-pretty', options: { ignore: 'pid,hostname', singleLine: true } };
    return pino({ ...base, transport: pretty });
  }
  return destination === undefined ? pino(base) : pino(base, destination);
}

/** A logger that writes nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
