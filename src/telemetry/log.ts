import { createRequire } from 'node:module';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type * as PinoPretty from 'pino-pretty';
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
 * @param destination takes whole lines, and never throws.
 */
export function createLogger(options: LogOptions, destination: DestinationStream): Logger {
  const { level, format, onChild } = options;
  const base = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    ...(onChild === undefined ? {} : { onChild }),
  };
  const logger = pino(base, format === 'pretty' ? prettyInto(destination) : destination);
  onChild?.(logger);
  return logger;
}

/**
 * Characters that JSON leaves as they are, and that move the cursor of a terminal (C1 controls) or turn
 * the direction of its text. Clients choose their openids.
 */
const UNSAFE = /[\u0080-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const asNumber = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** In this thread: a worker of pino's that cannot write ends the process. */
function prettyInto(destination: DestinationStream): DestinationStream {
  // Loaded only for people: every other start is faster.
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
  const pretty = prettyFactory({ ignore: 'pid,hostname', singleLine: true });
  return { write: (line) => destination.write(pretty(line).replace(UNSAFE, asNumber)) };
}

/** A logger that writes nothing. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
