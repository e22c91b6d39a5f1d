import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SystemClock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { separatePem } from '../base/pem.js';
import { DEVELOPMENT_FOLDER } from '../config/certificates.js';
import type { Config } from '../config/config.js';
import { loadTlsFiles } from '../config/tls-files.js';
import { checkIdentity } from '../quic/tls-config.js';
import { checkLog } from '../journal/log-check.js';
import { checkStateFileReadable } from '../journal/state-file.js';
import { RoleFile } from '../replication/role-file.js';
import { readRegistry } from '../routing/registry-file.js';
import { silentLogger } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { caKey, dayOf, endWarning, firstToEnd, isAuthority, termsOf } from './certificate-terms.js';
import type { CertificateTerm } from './certificate-terms.js';
import { certificateSource } from './certificate-files.js';
import type { CertificateFiles } from './certificate-files.js';
import { GrpcSide } from './grpc-side.js';
import { jwtAuthenticator } from './identity.js';
import { memoryWarnings } from './memory-warnings.js';
import { opsWarnings } from './ops-side.js';
import { quicKeys } from './quic-keys.js';
import { StateKeeper } from './state-keeper.js';

/** What a look at everything that a start would read found; one line each. */
export interface Preflight {
  /** A start would fail. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Files that were read and are good. */
  readonly files: readonly { readonly key: string; readonly file: string; readonly note: string }[];
}

/**
 * Looks at every file that a start with this configuration would read, and changes none: certificates
 * and keys, token keys, what the last process left. Never throws.
 */
export async function preflight(config: Config): Promise<Preflight> {
  const check = new Check(config);
  await check.run();
  return check;
}

class Check implements Preflight {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly files: { key: string; file: string; note: string }[] = [];
  private readonly clock = new SystemClock();
  private readonly now = this.clock.wallTime();
  private readonly log = silentLogger();

  constructor(private readonly config: Config) {}

  async run(): Promise<void> {
    this.clientCertificate();
    this.certificates();
    await this.tokenKeys();
    this.leftFiles();
    await this.registrations();
    this.attempt('journal.path', () => this.journal());
    this.warnings.push(...memoryWarnings(this.config));
    if (this.problems.length === 0) {
      const grpc = new GrpcSide(this.config, this.clock, this.log);
      this.warnings.push(...grpc.warnings(), ...opsWarnings(this.config));
    }
  }

  /** What clients are shown: the operator's own, or development files that a start would make. */
  private clientCertificate(): void {
    const { certFile, keyFile } = this.config.server;
    if (certFile !== null) {
      this.clientFacing({ certFile, keyFile, caFile: null });
      return;
    }
    const [cert, key] = ['server.crt', 'server.key'].map((name) => join(DEVELOPMENT_FOLDER, name));
    this.warnings.push(
      'server.cert_file is not set: clients are shown a development certificate that nobody else trusts',
    );
    if (cert === undefined || key === undefined || !(existsSync(cert) || existsSync(key))) return;
    this.clientFacing({ certFile: cert, keyFile: key, caFile: null });
  }

  /** QUIC shows this one. */
  private clientFacing(files: CertificateFiles): void {
    const found = this.problems.length;
    this.tls('server', files);
    const { certFile, keyFile } = files;
    if (this.problems.length > found || certFile === null || keyFile === null) return;
    this.attempt('server', () => checkIdentity(loadTlsFiles(certFile, keyFile)));
  }

  private certificates(): void {
    const { grpc, ops, upstreamTls } = this.config;
    for (const [section, tls] of [
      ['grpc.tls', grpc.tls],
      ['ops.tls', ops.tls],
    ] as const) {
      if (tls.certFile !== null) this.tls(section, { ...tls, caFile: tls.clientCaFile });
    }
    this.tls('upstream_tls', upstreamTls);
  }

  private tls(section: string, files: CertificateFiles): void {
    const { certFile, keyFile, caFile } = files;
    if (certFile === null && caFile === null) return;
    this.attempt(section, () => certificateSource(files, this.clock, this.log));
    if (certFile !== null) this.noteCertificate(`${section}.cert_file`, certFile);
    if (keyFile !== null) this.notePrivate(`${section}.key_file`, keyFile);
    if (caFile !== null) {
      this.noteCertificate(caKey(section), caFile);
    }
  }

  /** A file that could not be read is a problem already, and so is an expired certificate of our own. */
  private noteCertificate(key: string, file: string): void {
    let terms: readonly CertificateTerm[];
    try {
      terms = termsOf(key, separatePem(readFileSync(file)), `${key}: ${file}`);
    } catch {
      return;
    }
    const isOver = ({ ends }: CertificateTerm): boolean => ends < this.now;
    if (!isAuthority(key) && terms.slice(0, 1).some(isOver)) return;
    const lines = terms.map((term) => endWarning(term.named, term, this.now));
    // Nobody is left whom they have signed.
    const over = terms.every(isOver);
    (over ? this.problems : this.warnings).push(...lines.filter((line) => line !== null));
    const first = firstToEnd(terms, this.now);
    if (over || first === undefined) return;
    this.files.push({ key, file, note: `valid until ${dayOf(first.ends)}` });
  }

  private notePrivate(key: string, file: string): void {
    const mode = existsSync(file) ? statSync(file).mode : 0;
    if ((mode & 0o004) !== 0) {
      this.warnings.push(`${key}: ${file} can be read by everyone on this machine: chmod 600`);
    }
  }

  private async tokenKeys(): Promise<void> {
    const { auth } = this.config;
    const failures = new Metrics().session.authFailures;
    const tokens = jwtAuthenticator(this.config, this.clock, this.log, failures);
    if (tokens === null) return;
    try {
      await tokens.start();
      for (const [key, file] of [
        ['auth.key_file', auth.keyFile],
        ['auth.jwks_file', auth.jwksFile],
      ] as const) {
        if (file !== null) this.files.push({ key, file, note: 'holds keys to verify tokens' });
      }
    } catch (error) {
      this.problems.push(messageOf(error));
    } finally {
      tokens.stop();
    }
  }

  /** What the last process left; a missing file is made by the start, and not here. */
  private leftFiles(): void {
    const { server, quic, backup, log } = this.config;
    this.attempt('server.state_file', () => {
      new StateKeeper(server.stateFile, this.log, this.clock).stop();
      if (server.stateFile !== null) checkStateFileReadable(server.stateFile);
    });
    if (log.file !== null) this.attempt('log.file', () => checkLogFile(resolve(log.file ?? '')));
    const { retryKeyFile } = quic;
    const { enabled, roleFile, serverId } = backup;
    if (enabled && roleFile !== null) {
      this.attempt('backup.role_file', () => new RoleFile(roleFile, serverId ?? '').load());
    }
    if (backup.clusterSecret !== null || retryKeyFile === null || !existsSync(retryKeyFile)) return;
    this.attempt('quic.retry_key_file', () => quicKeys(null, retryKeyFile));
  }

  /** A start does not fail for them, and reads them only where no journal tells more. */
  private async registrations(): Promise<void> {
    const { routing, journal, backup } = this.config;
    const file = routing.registryFile;
    if (file === null || journal.path !== null || backup.enabled) return;
    try {
      const entries = await readRegistry(resolve(file));
      if (entries === null) return;
      const note = `holds ${entries.length} registered upstreams`;
      this.files.push({ key: 'routing.registry_file', file, note });
    } catch (error) {
      const consequence = 'a start sets it aside, and upstreams must register again';
      this.warnings.push(`routing.registry_file: ${messageOf(error)}: ${consequence}`);
    }
  }

  /** Its content is left to the start: it is large, and a gateway that runs may be writing it. */
  private journal(): void {
    const folder = this.config.journal.path;
    if (folder === null) return;
    if (!existsSync(folder)) return checkFolderMakeable(folder);
    const { segments, damaged } = checkLog(folder);
    for (const path of damaged) {
      this.warnings.push(
        `journal.path: ${path} does not begin as a segment of a journal: a start lacks what is in it`,
      );
    }
    const note = `can be read and written; what its segments (${segments}) hold is not looked at`;
    this.files.push({ key: 'journal.path', file: folder, note });
  }

  private attempt(key: string, look: () => unknown): void {
    try {
      look();
    } catch (error) {
      this.problems.push(`${key}: ${messageOf(error)}`);
    }
  }
}

/** A start makes the file, and the folders that lead to it. @throws where the system will not let it. */
function checkLogFile(path: string): void {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) throw new Error(`cannot write ${path}: it is a directory`);
    accessSync(path, constants.W_OK);
    return;
  }
  checkFolderMakeable(dirname(path));
}

/** @throws where the system will not let it be made, or written to if it is there. */
function checkFolderMakeable(path: string): void {
  let folder = resolve(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  if (!statSync(folder).isDirectory()) throw new Error(`${folder} is not a directory`);
  accessSync(folder, constants.W_OK);
}
