import { readFileSync } from 'node:fs';
import type { Cancel, Clock } from '../base/clock.js';
import { StartupError, messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import { crc32c } from './crc32c.js';
import { replaceDurably } from './durable-file.js';

/** How far the ceiling is raised: one small write per so many numbers. */
export const CEILING_STEP = 1_000_000;

const CHECKSUM_BITS = 32;

/** After how long a disk that did not take the ceiling is asked again, ms. */
export const CEILING_RETRY_MS = 1_000;

/**
 * A number that no push number has passed yet. After a start without complete state it is the floor
 * from which numbers go on, so that none is ever used twice (docs/SESSIONS.md, "Downstream: answers and
 * pushes").
 */
export interface NumberCeiling {
  /** Numbers up to this one may be sent. */
  readonly value: number;
  /** Moves the ceiling above `seq`, durably, before `seq` is sent; never down. */
  raise(seq: number): void;
}

/** For gateways that keep nothing on disk: after a restart they know no floor. */
export const unlimitedCeiling: NumberCeiling = Object.freeze({
  value: Number.POSITIVE_INFINITY,
  raise: () => undefined,
});

/** A ceiling in a small file of its own, replaced atomically and synced. */
export class NumberCeilingFile implements NumberCeiling {
  private current: number;
  /** What goes on when the disk did not take it; null while the file is up to date. */
  private retry: Cancel | null = null;
  private stopped = false;

  /**
   * Reads the file; a missing one means a new gateway, ceiling 0.
   * @throws {StartupError} when the file is damaged: guessing would use numbers twice.
   */
  constructor(
    private readonly path: string,
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {
    this.current = readCeiling(path);
  }

  get value(): number {
    return this.current;
  }

  raise(seq: number): void {
    if (seq <= this.current) return;
    this.current = seq + CEILING_STEP;
    this.store();
  }

  /** Whether numbers may have been sent that the file does not cover. */
  get behind(): boolean {
    return this.retry !== null;
  }

  /** It is written no more: the file may be another process's from here on. */
  stop(): void {
    this.stopped = true;
    this.retry?.();
  }

  private store(): void {
    const { path, log, clock } = this;
    const wasBehind = this.behind;
    this.retry?.();
    this.retry = null;
    try {
      replaceDurably(path, textOf(this.current));
      if (wasBehind) log.info({ path }, 'the number ceiling is stored again');
    } catch (error) {
      // Serving goes on: the promise is weaker after a crash, and the operator is told, once.
      if (!wasBehind)
        log.error({ error: messageOf(error), path }, 'cannot store the number ceiling');
      if (!this.stopped) this.retry = clock.after(CEILING_RETRY_MS, () => this.store());
    }
  }
}

/**
 * The number, then its CRC-32C as white space, a character for each bit: versions that know of no checksum read past
 * it, and what they wrote has none.
 */
function textOf(ceiling: number): string {
  const number = JSON.stringify({ ceiling });
  const bits = crc32c(Buffer.from(number)).toString(2).padStart(CHECKSUM_BITS, '0');
  return `${number}${bits.replaceAll('0', ' ').replaceAll('1', '\t')}\n`;
}

function readCeiling(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw new StartupError('CEILING_UNREADABLE', `cannot read ${path}: ${messageOf(error)}`);
  }
  const match = /^\{"ceiling":(\d{1,16})\}(\s*)$/.exec(text);
  const ceiling = match === null ? NaN : Number(match[1]);
  const isChecked = (match?.[2] ?? '').length >= CHECKSUM_BITS;
  if (!Number.isSafeInteger(ceiling) || (isChecked && text !== textOf(ceiling))) {
    const advice = 'restore it, or delete it if clients may be told that they missed pushes';
    throw new StartupError('CEILING_DAMAGED', `${path} is damaged: ${advice}`);
  }
  return ceiling;
}
