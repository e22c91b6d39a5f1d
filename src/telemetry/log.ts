import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { LogLevelName } from './log-level.js';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: LogLevelName;
  /** json: one object per line for machines; pretty: for a person at a terminal. */
  readonly format: 'json' | 'pretty';
  /** Hears of the logger itself and of every child (log-level.ts). */
  readonly onChild?: (logger: Logger) => void;
}

/**
 * The process's logger; every part gets a child of it with its `part` set. No payload and no token
 * is ever passed to it, and nothing is logged per request at info.
 * @param destination where lines go instead of standard output; only for json.
 */
export function createLogger(options: LogOptions, destination?: DestinationStream): Logger {
  const logger = build(options, destination);
  options.onChild?.(logger);
  return logger;
}

function build({ level, format, onChild }: LogOptions, destination?: DestinationStream): Logger {
  const base = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    ...(onChild === undefined ? {} : { onChild }),
  };
  if (format === 'pretty') {
    const pretty = { target: 'pino-pretty', options: { ignore: 'pid,hostname', singleLine: true } };
    return pino({ ...base, transport: pretty });
  }
  return destination === undefined ? pino(base) : pino(base, destination);
}

/** A logger that writes nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
