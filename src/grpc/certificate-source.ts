import { statSync } from 'node:fs';
import type { Cancel, Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';

/** What one side of a connection shows and trusts; PEM. */
export interface TlsMaterial {
  /**
   * Who may have signed the other side's certificate; null: for a server nobody is asked, for a client whom the
   * system trusts.
   */
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
}

/** How often the files are looked at, ms: a renewed certificate is in use long before the old one ends. */
export const CERTIFICATE_POLL_MS = 10_000;

/** Throws where it cannot use it, and then goes on with what it had. */
export type TlsListener = (material: TlsMaterial) => void;

const sameBytes = (one: Buffer | null, other: Buffer | null): boolean =>
  one === null || other === null ? one === other : one.equals(other);

const sameMaterial = (one: TlsMaterial, other: TlsMaterial): boolean =>
  sameBytes(one.ca, other.ca) && sameBytes(one.cert, other.cert) && sameBytes(one.key, other.key);

/**
 * Certificates from files, read again when one of these changes. A file that is bad keeps the old
 * ones in use, and is tried again until it is good; the log says so once.
 */
export class CertificateSource {
  private material: TlsMaterial;
  private stamp: string;
  private complained = '';
  private readonly listeners = new Set<TlsListener>();
  private cancelPoll: Cancel | null = null;

  /**
   * @param load reads and checks the files; what it throws at first, the constructor throws.
   * @param files those that `load` reads.
   */
  constructor(
    private readonly load: () => TlsMaterial,
    private readonly files: readonly string[],
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.stamp = this.look();
    this.material = load();
  }

  get current(): TlsMaterial {
    return this.material;
  }

  /** Why the files as they are now are not in use; empty when they are. */
  get fault(): string {
    return this.complained;
  }

  /** Watches the files until `stop`. Idempotent, both. */
  start(): void {
    this.cancelPoll ??= this.clock.every(CERTIFICATE_POLL_MS, () => {
      const stamp = this.look();
      if (stamp !== this.stamp || this.complained !== '') this.reload();
    });
  }

  stop(): void {
    this.cancelPoll?.();
    this.cancelPoll = null;
  }

  /** Reads the files now. @returns whether they are good. */
  reload(): boolean {
    this.stamp = this.look();
    const before = this.material;
    try {
      this.use(this.load());
    } catch (error) {
      this.complain(messageOf(error));
      return false;
    }
    this.complained = '';
    if (before !== this.material) {
      this.logger.info({ files: this.files }, 'certificates were renewed');
    }
    return true;
  }

  /** @throws what a listener throws that cannot show it; then all of them show the old again. */
  private use(material: TlsMaterial): void {
    if (sameMaterial(this.material, material)) return;
    const told: TlsListener[] = [];
    try {
      for (const listener of this.listeners) {
        listener(material);
        told.push(listener);
      }
    } catch (error) {
      for (const listener of told) listener(this.material);
      throw error;
    }
    this.material = material;
  }

  /** Tells the material soon, and again after every change. */
  subscribe(listener: TlsListener): void {
    this.listeners.add(listener);
    // grpc-js hears nothing of what is told while it subscribes.
    queueMicrotask(() => listener(this.material));
  }

  unsubscribe(listener: TlsListener): void {
    this.listeners.delete(listener);
  }

  private complain(reason: string): void {
    if (reason === this.complained) return;
    this.complained = reason;
    this.logger.error({ reason }, 'certificates are not renewed, old ones stay');
  }

  private look(): string {
    return this.files.map(stampOf).join();
  }
}

/** Never throws: what is wrong with the file is told where it is read. */
function stampOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs}/${size}/${ino}`;
  } catch {
    return '-';
  }
}
