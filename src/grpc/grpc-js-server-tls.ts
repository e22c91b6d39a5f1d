import type { ServerCredentials, experimental } from '@grpc/grpc-js';
import type { CertificateSource, TlsListener } from './certificate-source.js';
import { grpcJs } from './grpc-js-library.js';

/**
 * A server's side of TLS in the terms of grpc-js. Connections that are open keep the certificate they began with.
 * @param source must have a certificate and key; with a `ca` every client must show a certificate.
 */
export function serverCredentials(source: CertificateSource): ServerCredentials {
  const asked = source.current.ca !== null;
  const provider = new GrpcJsProvider(source);
  return grpcJs().experimental.createCertificateProviderServerCredentials(
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
  private readonly forwarders = new Map<CaListener | IdentityListener, TlsListener>();

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

  private add(listener: CaListener | IdentityListener, forward: TlsListener): void {
    this.forwarders.set(listener, forward);
    this.source.subscribe(forward);
  }

  private remove(listener: CaListener | IdentityListener): void {
    const forward = this.forwarders.get(listener);
    if (forward !== undefined) this.source.unsubscribe(forward);
    this.forwarders.delete(listener);
  }
}
