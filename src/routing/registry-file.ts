import { open, readFile, rename, unlink } from 'node:fs/promises';
import type { Cancel, Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import { isUpstreamEntry } from './registration-check.js';
import type { UpstreamEntry } from './registration-check.js';
import { MAX_INSTANCES_PER_ZONE } from './zone-pool.js';
import { ZONES } from './zone.js';

const FORMAT = 1;
/** Six upstreams that start together become one write. */
const DEBOUNCE_MS = 200;
/** Only the owner: whoever can write the file can redirect requests. */
const FILE_MODE = 0o600;
/** As many services as the configuration may name, beside the zones. */
const MAX_SERVICES = 32;
const MAX_ENTRIES = (ZONES.length + MAX_SERVICES) * MAX_INSTANCES_PER_ZONE;

/**
 * Keeps the registrations on disk, for deployed upstreams register only once in their life and the
 * gateway may restart meanwhile. Nothing that goes wrong with the file stops the gateway: it is
 * logged, and what cannot be read is set aside as `FILE.corrupt`.
 */
export class RegistryFile {
  private readonly temporary: string;
  private cancelTimer: Cancel | null = null;
  private writing: Promise<void> = Promise.resolve();
  private failing = false;

  /** @param entries reads what is to be kept, at the time of writing. */
  constructor(
    private readonly path: string,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly entries: () => readonly UpstreamEntry[],
  ) {
    this.temporary = `${path}.tmp-${process.pid}`;
  }

  /** Reads what the last process kept; empty where there is no file yet. Never throws. */
  async load(): Promise<readonly UpstreamEntry[]> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.logger.warn({ path: this.path, reason: messageOf(error) }, 'registry file unreadable');
      }
      return [];
    }
    const entries = parse(text);
    if (entries !== null) return entries;
    await this.setAside();
    return [];
  }

  /** The entries changed: write them soon. */
  changed(): void {
    if (this.cancelTimer !== null) return;
    this.cancelTimer = this.clock.after(DEBOUNCE_MS, () => {
      this.cancelTimer = null;
      this.writing = this.writing.then(() => this.write());
    });
  }

  /** Writes what is still waiting. */
  async flush(): Promise<void> {
    if (this.cancelTimer !== null) {
      this.cancelTimer();
      this.cancelTimer = null;
      this.writing = this.writing.then(() => this.write());
    }
    await this.writing;
  }

  /** A reader sees the old file or the new one, also after a crash between any two steps. */
  private async write(): Promise<void> {
    try {
      const text = JSON.stringify({ format: FORMAT, upstreams: this.entries() }, null, 2) + '\n';
      await writeDurably(this.temporary, text);
      await rename(this.temporary, this.path);
      this.failing = false;
    } catch (error) {
      if (!this.failing) {
        this.logger.error(
          { path: this.path, reason: messageOf(error) },
          'registry file cannot be written; after a restart upstreams must register again',
        );
      }
      this.failing = true;
      await unlink(this.temporary).catch(() => undefined);
    }
  }

  private async setAside(): Promise<void> {
    const aside = `${this.path}.corrupt`;
    const moved = await rename(this.path, aside).then(
      () => `set aside as ${aside}`,
      (error: unknown) => `cannot be set aside: ${messageOf(error)}`,
    );
    this.logger.warn(
      { path: this.path },
      `registry file is corrupt and ${moved}; upstreams must register again`,
    );
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', FILE_MODE);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
}

function parse(text: string): readonly UpstreamEntry[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { format, upstreams } = value as Record<string, unknown>;
  if (format !== FORMAT || !Array.isArray(upstreams) || upstreams.length > MAX_ENTRIES) return null;
  return upstreams.every(isUpstreamEntry) ? upstreams : null;
}
