import { isLoopbackHost } from '../base/address.js';
import { peerAddress } from '../base/client-address.js';
import type { Address, Config } from '../config/config.js';
import { VERSION } from '../config/version.js';
import type { CertificateSource } from '../grpc/certificate-source.js';
import { CONSOLE_FOLDER } from '../ops/console/console-files.js';
import type { OpsControls } from '../ops/ops-source.js';
import { OpsServer } from '../ops/ops-server.js';
import type { Logger } from '../telemetry/log.js';
import type { LogLevel } from '../telemetry/log-level.js';
import type { CertificateTerm, CertificateSources } from './certificate-terms.js';
import { certificateSource } from './certificate-files.js';
import { OpsView } from './ops-view.js';
import type { OpsViewParts } from './ops-view.js';
import { addressOf, routerOptions } from './options.js';
import type { CertificateHolder } from './reloads.js';

interface OpsSideParts extends Omit<OpsViewParts, 'upstreamWarning'> {
  readonly log: Logger;
  readonly logLevel: LogLevel;
  /** Of the certificates in use, from when until when each is valid. */
  readonly certificateTerms: () => readonly CertificateTerm[];
  /** Sends clients away, for good; what goes wrong is logged by it. */
  readonly drain: () => void;
}

/** The operators' listeners out of the configuration, with what they show and what they may do. */
export class OpsSide implements CertificateHolder {
  private readonly server: OpsServer;
  private readonly log: Logger;
  /** Null: plain HTTP. */
  private readonly certificates: CertificateSource | null;

  /** @throws {StartupError} where a certificate or key cannot be used. */
  constructor(
    private readonly config: Config,
    parts: OpsSideParts,
  ) {
    const { clock, log } = parts;
    this.log = log;
    const { certFile, keyFile, clientCaFile } = config.ops.tls;
    const files = { certFile, keyFile, caFile: clientCaFile };
    this.certificates = certFile === null ? null : certificateSource(files, clock, log);
    this.server = this.build(parts);
  }

  get httpPort(): number {
    return this.server.httpPort;
  }

  get metricsPort(): number {
    return this.server.metricsPort;
  }

  /** Idempotent, both. @throws {StartupError} for a port in use. */
  async start(): Promise<void> {
    await this.server.start();
    for (const warning of opsWarnings(this.config)) this.log.warn(warning);
    this.certificates?.subscribe(({ cert, key, ca }) => {
      if (cert !== null && key !== null) this.server.useTls({ cert, key, ca });
    });
    this.certificates?.start();
  }

  async stop(): Promise<void> {
    this.certificates?.stop();
    await this.server.stop();
  }

  reloadCertificates(): void {
    this.certificates?.reload();
  }

  get sources(): CertificateSources {
    return { 'ops.tls': this.certificates };
  }

  private build(parts: OpsSideParts): OpsServer {
    const { config } = this;
    const { cert, key, ca } = this.certificates?.current ?? { cert: null, key: null, ca: null };
    const upstreamWarning = routerOptions(config).warnConcurrent ?? Infinity;
    const source = new OpsView({ ...parts, upstreamWarning });
    const { certificateTerms } = parts;
    parts.metrics.health.observe({ warnings: () => source.health().warnings, certificateTerms });
    return new OpsServer({
      httpAddr: config.server.httpAddr,
      metricsAddr: config.server.metricsAddr,
      adminToken: config.ops.adminToken,
      readToken: config.ops.readToken,
      tls: cert === null || key === null ? null : { cert, key, ca },
      callerOf: addressOf(config) ?? peerAddress,
      source,
      controls: opsControls(parts),
      metrics: parts.metrics,
      clock: parts.clock,
      log: parts.log,
      version: VERSION,
      consoleFolder: config.ops.console ? CONSOLE_FOLDER : null,
    });
  }
}

/** What an operator should know about the way to the listeners, one line each. */
export function opsWarnings({ ops, server }: Config): string[] {
  if (ops.tls.certFile !== null) return [];
  const admin = ops.adminToken && 'ops.admin_token';
  const read = ops.readToken && 'ops.read_token';
  // Prometheus is asked for no token but that of readers.
  return [
    ...shownTokens('server.http_addr', server.httpAddr, [admin, read]),
    ...shownTokens('server.metrics_addr', server.metricsAddr, [read]),
  ];
}

/** The warning that tokens reach a listener of plain HTTP from other machines. */
function shownTokens(
  key: string,
  address: Address | null,
  tokens: readonly (string | null)[],
): string[] {
  const given = tokens.filter((name) => name !== null);
  if (given.length === 0 || address === null || isLoopbackHost(address.host)) return [];
  return [`${key} is plain HTTP, which shows ${given.join(' and ')}: set ops.tls`];
}

function opsControls({ sessions, state, drain, logLevel, pair }: OpsSideParts): OpsControls {
  return {
    kick: (targetId, reason) =>
      sessions.clients.kick({ targetType: 'session', targetId }, reason) !== null,
    drain: () => {
      if (state().state === 'starting') return false;
      drain();
      return true;
    },
    switchRoles: (mode) => pair?.switchTo(mode),
    goSolo: () => pair?.goSolo(),
    logLevel: () => logLevel.current,
    setLogLevel: (level) => logLevel.set(level),
  };
}
