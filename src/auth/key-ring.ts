import { readFile, stat } from 'node:fs/promises';
import type { Cancel, Clock } from '../base/clock.js';
import { StartupError, messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import { keysOfPem, keysOfSecret, keysOfSet } from './token-keys.js';
import type { TokenKeys } from './token-keys.js';

/** Where the keys are: exactly one of the three. */
export type KeySource =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'key_file' | 'jwks_file'; readonly path: string };

/** How often the file is looked at, ms: a rotated key overlaps with its predecessor for longer. */
export const KEY_POLL_MS = 5_000;

/** A key set is a few KiB; anything larger is some other file. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Before any key is loaded no algorithm is allowed, so that every token is refused. */
const NO_KEYS: TokenKeys = {
  algorithms: [],
  resolve: () => {
    throw new Error('no keys are loaded');
  },
};

/**
 * The keys in force. A file is read again when it changes; a bad one changes nothing but the log, and
 * is tried again until it is whole.
 */
export class KeyRing {
  private keys: TokenKeys = NO_KEYS;
  /** Identifies the content that `keys` came from. */
  private loaded = '';
  /** Identifies the content, or its absence, that was complained about. */
  private complained = '';
  private stopPolling: Cancel | null = null;
  private reloading: Promise<void> | null = null;

  constructor(
    private readonly source: KeySource,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Before `start` they accept nothing. */
  get current(): TokenKeys {
    return this.keys;
  }

  /** Why the file as it is now is not in force; empty when it is. */
  get fault(): string {
    return this.complained;
  }

  /** @throws {StartupError} AUTH_KEYS naming the key, the file and what is wrong with it. */
  async start(): Promise<void> {
    const { source } = this;
    try {
      if (source.kind === 'secret') this.keys = keysOfSecret(source.secret);
      else await this.load(source.kind, source.path);
    } catch (error) {
      const where = source.kind === 'secret' ? '' : ` (${source.path})`;
      const message = `auth.${source.kind}${where} cannot be used: ${faultOf(error)}`;
      throw new StartupError('AUTH_KEYS', message, { cause: error });
    }
    if (source.kind !== 'secret') {
      this.stopPolling ??= this.clock.every(KEY_POLL_MS, () => void this.reload());
    }
  }

  stop(): void {
    this.stopPolling?.();
    this.stopPolling = null;
  }

  /** Looks at the file now. Never throws; calls that overlap share one look. */
  reload(): Promise<void> {
    return (this.reloading ??= this.look().finally(() => (this.reloading = null)));
  }

  private async look(): Promise<void> {
    const { source } = this;
    if (source.kind === 'secret') return;
    try {
      const before = this.loaded;
      await this.load(source.kind, source.path);
      this.complained = '';
      if (this.loaded !== before) this.log.info({ file: source.path }, 'token keys reloaded');
    } catch (error) {
      this.complain(`auth.${source.kind}: the old keys stay in force: ${faultOf(error)}`);
    }
  }

  private async load(kind: 'key_file' | 'jwks_file', path: string): Promise<void> {
    const { mtimeMs, size, ino } = await stat(path);
    const identity = `${mtimeMs}/${size}/${ino}`;
    if (identity === this.loaded) return;
    if (size > MAX_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    const text = await readFile(path, 'utf8');
    this.keys = kind === 'key_file' ? keysOfPem(text) : keysOfSet(text);
    this.loaded = identity;
  }

  private complain(fault: string): void {
    if (fault === this.complained) return;
    this.complained = fault;
    this.log.warn(fault);
  }
}

function faultOf(error: unknown): string {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return missing ? 'no such file' : messageOf(error);
}
