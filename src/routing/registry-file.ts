import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Cancel, Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { FILE_MODE, syncDirectory } from '../journal/durable-file.js';
import type { Logger } from '../telemetry/log.js';
import { isUpstreamEntry } from './registration-check.js';
import type { UpstreamEntry } from './registration-check.js';
import { MAX_INSTANCES_PER_ZONE } from './zone-pool.js';
import { ZONES } from './zone.js';

const FORMAT = 1;
/** After how long a disk that did not take the file is asked again, ms. */
export const REGISTRY_RETRY_MS = 1_000;
/** As many services as the configuration may name, beside the zones. */
const MAX_SERVICES = 32;
const MAX_ENTRIES = (ZONES.length + MAX_SERVICES) * MAX_INSTANCES_PER_ZONE;

/**
 * What a registry file holds; null where there is none.
 * @throws {Error} which says why it cannot be read, or that it is damaged.
 */
export async function readRegistry(path: string): Promise<readonly UpstreamEntry[] | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const entries = parse(text);
  if (entries === null) throw new Error(`${path} is no list of registered upstreams, or damaged`);
  return entries;
}

/**
 * Keeps the registrations on disk, for deployed upstreams register only once in their life and the
 * gateway may restart meanwhile. Nothing that goes wrong with the file stops the gateway: it is
 * logged, what cannot be written is tried again, and what cannot be read is set aside as `FILE.corrupt`.
 */
export class RegistryFile {
  private readonly temporary: string;
  /** Who waits for the next write; null where none is due. */
  private waiting: (() => void)[] | null = null;
  private writing: Promise<void> | null = null;
  /** The next attempt, where the last one failed. */
  private retry: Cancel | null = null;
  private failing = false;

  /** @param entries reads what is to be kept, at the time of writing. */
  constructor(
    private readonly path: string,
    private readonly logger: Logger,
    private readonly clock: Clock,
    private readonly entries: () => readonly UpstreamEntry[],
  ) {
    this.temporary = `${path}.tmp-${process.pid}`;
  }

  /** Reads what the last process kept; empty where there is no file yet. Never throws. */
  async load(): Promise<readonly UpstreamEntry[]> {
    try {
      return (await readRegistry(this.path)) ?? [];
    } catch (error) {
      await this.setAside(error as NodeJS.ErrnoException);
      return [];
    }
  }

  /**
   * The entries changed: writes them, what changes while a write is under way together in the next one.
   * @param done called when they are on disk, or cannot be written; never before it returns.
   */
  changed(done: () => void): void {
    (this.waiting ??= []).push(done);
    this.writing ??= this.writeAll();
  }

  /** Whether the file lacks a change that the disk did not take. */
  get behind(): boolean {
    return this.failing;
  }

  /** Waits until everything is written; what the disk did not take it is asked once more. It is the end. */
  async stop(): Promise<void> {
    while (this.writing !== null) await this.writing;
    if (this.failing) await this.write();
    this.dropRetry();
  }

  private async writeAll(): Promise<void> {
    while (this.waiting !== null) {
      const told = this.waiting;
      this.waiting = null;
      await this.write();
      for (const done of told) done();
    }
    this.writing = null;
  }

  /** A reader sees the old file or the new one, also after a crash between any two steps. */
  private async write(): Promise<void> {
    this.dropRetry();
    try {
      const text = JSON.stringify({ format: FORMAT, upstreams: this.entries() }, null, 2) + '\n';
      await writeDurably(this.temporary, text);
      await rename(this.temporary, this.path);
      await syncDirectory(dirname(this.path));
      if (this.failing) this.logger.info({ path: this.path }, 'the registry file is written again');
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
      this.retry = this.clock.after(REGISTRY_RETRY_MS, () => this.changed(() => undefined));
    }
  }

  private dropRetry(): void {
    this.retry?.();
    this.retry = null;
  }

  /** One that stayed would be gone with the next write, though it may be whole and only another user's. */
  private async setAside({ code, message: reason }: NodeJS.ErrnoException): Promise<void> {
    const aside = `${this.path}.corrupt`;
    // No file takes the place of a folder.
    const moved =
      code === 'EISDIR'
        ? 'is a folder'
        : await rename(this.path, aside).then(
            () => `is set aside as ${aside}`,
            (error: unknown) => `cannot be set aside: ${messageOf(error)}`,
          );
    this.logger.warn(
      { path: this.path, reason },
      `registry file cannot be read and ${moved}; upstreams must register again`,
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
