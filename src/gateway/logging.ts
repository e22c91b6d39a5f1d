import type { Config } from '../config/config.js';
import { createLogger } from '../telemetry/log.js';
import type { Logger } from '../telemetry/log.js';
import { LogFile } from '../telemetry/log-file.js';
import { LogLevel } from '../telemetry/log-level.js';
import type { LogLevelName } from '../telemetry/log-level.js';
import { LogOutput } from '../telemetry/log-output.js';

/** The gateway's log as the configuration wants it: where it goes, how it looks, its level. */
export class Logging {
  readonly root: Logger;
  readonly level: LogLevel;
  private readonly file: LogFile | null;
  /** As the configuration had it last; operators may have set another since. */
  private configured: LogLevelName;

  /** @throws {StartupError} LOG_UNWRITABLE. */
  constructor({ log }: Config) {
    this.configured = log.level;
    this.level = new LogLevel(log.level);
    const { file: path, maxSize, maxFiles } = log;
    const complain = (line: string) => void process.stderr.write(`gatesvr: ${line}\n`);
    this.file = path === null ? null : new LogFile({ path, maxSize, maxFiles }, complain);
    const pretty = log.format === 'pretty' || (log.format === 'auto' && process.stdout.isTTY);
    const format = this.file === null && pretty ? 'pretty' : 'json';
    const options = { level: log.level, format, onChild: this.level.follow } as const;
    this.root = createLogger(options, this.file ?? new LogOutput(process.stdout, complain));
  }

  /**
   * Takes over what may change, and reopens. A level that an operator set stays until `log.level` is
   * another: a rotated file ends nobody's debug session.
   */
  reload({ log }: Config): void {
    if (log.level !== this.configured) this.level.set(log.level);
    this.configured = log.level;
    this.reopen();
  }

  /** Opens the file again, for it may have been moved away. */
  reopen(): void {
    this.file?.reopen();
  }
}
