import { statSync } from 'node:fs';
import { experimental } from '@grpc/grpc-js';
import type { Cancel, Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../telemetry/log.js';
import type { ListenCredentials } from './channel-options.js';

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

type Listener = (material: TlsMaterial) => void;

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
  private readonly listeners = new Set<Listener>();
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
      this.material = this.load();
    } catch (error) {
      this.complain(messageOf(error));
      return false;
    }
    this.complained = '';
    if (sameMaterial(before, this.material)) return true;
    this.logger.info({ files: this.files }, 'certificates were renewed');
    for (const listener of this.listeners) listener(this.material);
    return true;
  }

  /** Tells the material soon, and again after every change. */
  subscribe(listener: Listener): void {
    this.listeners.add(listener);
    // grpc-js hears nothing of what is told while it subscribes.
    queueMicrotask(() => listener(this.material));
  }

  unsubscribe(listener: Listener): void {
    this.listeners.delete(listener);
  }

  private complain(reason: string): void {
    if (reason === this.complained) return;
    this.complained = reason;
    this.logger.error({ reason }, 'certificates are not renewed, old ones stay');
  }

  private look(): string {
    return this.files
      .map((file) => {
        const found = statSync(file, { throwIfNoEntry: false });
        return found === undefined ? '-' : `${found.mtimeMs}/${found.size}/${found.ino}`;
      })
      .join();
  }
}

/**
 * A server's side of TLS. Connections that are open keep the certificate they began with.
 * @param source must have a certificate and key; with a `ca` every client must show a certificate.
 */
export function serverCredentials(source: CertificateSource): ListenCredentials {
  const asked = source.current.ca !== null;
  const provider = new GrpcJsProvider(source);
  return experimental.createCertificateProviderServerCredentials(
    provider,
    asked ? provider : null,
    asked,
  );
}

type CaListener = Parameters<experimental.CertificateProvider['addCaCertificateListener']>[0];
type IdentityListener = Parameters<
  experimental.CertificateProvider['addIdentityCertificateListener']
>[0];

/** A CertificateSource in the terms of grpc-js. */
class GrpcJsProvider implements experimental.CertificateProvider {
  private readonly forwarders = new Map<CaListener | IdentityListener, Listener>();

  constructor(private readonly source: CertificateSource) {}

  addCaCertificateListener(listener: CaListener): void {
    this.add(listener, ({ ca }) => listener(ca === null ? null : { caCertificate: ca }));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.remove(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.add(listener, ({ cert, key }) =>
      listener(cert === null || key === null ? null : { certificate: cert, privateKey: key }),
    );
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.remove(listener);
  }

  private add(listener: CaListener | IdentityListener, forward: Listener): void {
    this.forwarders.set(listener, forward);
    this.source.subscribe(forward);
  }

  private remove(listener: CaListener | IdentityListener): void {
    const forward = this.forwarders.get(listener);
    if (forward !== undefined) this.source.unsubscribe(forward);
    this.forwarders.delete(listener);
  }
}
