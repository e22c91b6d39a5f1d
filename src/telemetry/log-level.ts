import type { Logger } from 'pino';

/** From the most talkative to none. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevelName = (typeof LOG_LEVELS)[number];

/**
 * The level of a logger and of all its children, for a child of pino keeps the level that it was made
 * with. Children are one per part of the gateway and live as long as it does.
 */
export class LogLevel {
  private readonly loggers: Logger[] = [];

  constructor(private level: LogLevelName) {}

  get current(): LogLevelName {
    return this.level;
  }

  /** Takes a logger under control; given to `createLogger` as `onChild`. */
  readonly follow = (logger: Logger): void => {
    this.loggers.push(logger);
    logger.level = this.level;
  };

  /** Holds at once, for every part. */
  set(level: LogLevelName): void {
    this.level = level;
    for (const logger of this.loggers) logger.level = level;
  }
}
