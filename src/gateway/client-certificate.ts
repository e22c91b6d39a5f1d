import type { Clock } from '../base/clock.js';
import type { KeyPair } from '../base/key-pair.js';
import type { ServerIdentity } from '../config/server-identity.js';
import { loadTlsFiles } from '../config/tls-files.js';
import { CertificateSource } from '../grpc/certificate-source.js';
import type { Logger } from '../telemetry/log.js';
import type { CertificateSources } from './certificate-terms.js';
import type { CertificateHolder } from './reloads.js';

/** What shows a certificate to clients: QUIC, WebSocket. */
export interface ClientFacing {
  /** For connections that begin from now on. */
  useIdentity(identity: KeyPair): void;
}

/**
 * Keeps the certificate that clients are shown current: its files are read again when they change,
 * or when told. A file that is bad leaves the old certificate in use, and the log says so.
 */
export class ClientCertificate implements CertificateHolder {
  private readonly source: CertificateSource;
  /** The files, for messages. */
  private readonly names: Pick<KeyPair, 'certName' | 'keyName'>;

  constructor(identity: ServerIdentity, clock: Clock, log: Logger) {
    const { certName, keyName } = identity;
    this.names = { certName, keyName };
    const load = () => {
      const { cert, key } = loadTlsFiles(certName, keyName);
      return { ca: null, cert, key };
    };
    this.source = new CertificateSource(load, [certName, keyName], clock, log);
  }

  /** Watches the files, for everyone who shows the certificate. */
  start(edges: readonly (ClientFacing | null)[]): void {
    this.source.subscribe(({ cert, key }) => {
      if (cert === null || key === null) return;
      for (const edge of edges) edge?.useIdentity({ cert, key, ...this.names });
    });
    this.source.start();
  }

  reloadCertificates(): void {
    this.source.reload();
  }

  get sources(): CertificateSources {
    return { server: this.source };
  }

  stop(): void {
    this.source.stop();
  }
}
