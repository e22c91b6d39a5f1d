import { ensureDevelopmentCertificates } from './certificates.js';
import type { Config } from './config.js';
import { loadTlsFiles } from './tls-files.js';
import type { TlsFiles } from './tls-files.js';

export interface ServerIdentity extends TlsFiles {
  /** Not the operator's own: development certificates of the working directory. */
  readonly development: boolean;
  /** They were made just now. */
  readonly made: boolean;
}

/**
 * The certificate and key a gateway presents: those of server.cert_file and server.key_file, or,
 * where neither is set, development ones, which the first run makes.
 * @throws {StartupError} as loadTlsFiles and writeCertificates do.
 */
export async function serverIdentity(server: Config['server']): Promise<ServerIdentity> {
  if (server.certFile !== null && server.keyFile !== null) {
    return { ...loadTlsFiles(server.certFile, server.keyFile), development: false, made: false };
  }
  const { certFile, keyFile, made } = await ensureDevelopmentCertificates();
  return { ...loadTlsFiles(certFile, keyFile), development: true, made };
}
