import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { formatAddress } from '../base/address.js';
import type { Address, Config } from './config.js';
import { formatDuration } from './duration.js';
import { checkRouting } from './routing/check.js';
import type { Findings } from './source.js';

/** What no key can know alone: whether keys fit each other and the machine. */
export function checkTogether(config: Config, findings: Findings): void {
  checkCertificate(config, findings);
  checkTlsSections(config, findings);
  checkAuth(config, findings);
  checkSecrets(config, findings);
  checkPorts(config, findings);
  checkSessions(config, findings);
  checkOffline(config, findings);
  checkRouting(config, findings);
  checkWebSocket(config, findings);
  checkBackup(config, findings);
  checkFiles(config, findings);
}

function checkCertificate({ server }: Config, { problems }: Findings): void {
  if ((server.certFile === null) === (server.keyFile === null)) return;
  const [given, missing] =
    server.certFile === null ? ['key_file', 'cert_file'] : ['cert_file', 'key_file'];
  problems.push(`server.${given} is set without server.${missing}: set both or neither`);
}

function checkTlsSections({ grpc, ops, upstreamTls }: Config, { problems }: Findings): void {
  for (const [section, { certFile, keyFile }] of Object.entries({
    'grpc.tls': grpc.tls,
    upstream_tls: upstreamTls,
    'ops.tls': ops.tls,
  })) {
    if ((certFile === null) !== (keyFile === null)) {
      problems.push(`${section}.cert_file and ${section}.key_file: set both or neither`);
    }
  }
  if (grpc.secret !== null && !/^[\x21-\x7e]+$/.test(grpc.secret)) {
    problems.push(
      'grpc.secret must be printable ASCII without spaces or line ends, for it travels in a header',
    );
  }
  if (ops.tls.certFile === null && ops.tls.clientCaFile !== null) {
    problems.push('ops.tls.client_ca_file is set without ops.tls.cert_file: TLS needs both');
  }
  if (grpc.tls.certFile !== null) return;
  if (grpc.tls.clientCaFile !== null) {
    problems.push('grpc.tls.client_ca_file is set without grpc.tls.cert_file: TLS needs both');
  }
  if (grpc.allowInsecure === 'false') {
    problems.push('grpc.allow_insecure is false without grpc.tls.cert_file: set a certificate');
  }
}

function checkAuth({ auth }: Config, { problems, warnings }: Findings): void {
  const sources: [string, string | null][] = [
    ['auth.secret', auth.secret],
    ['auth.key_file', auth.keyFile],
    ['auth.jwks_file', auth.jwksFile],
  ];
  const given = sources.filter(([, value]) => value !== null).map(([name]) => name);
  if (auth.mode === 'none') {
    if (given.length > 0) {
      warnings.push(
        `${given.join(', ')} without effect: auth.mode is none, every token is accepted`,
      );
    }
  } else if (given.length === 0) {
    problems.push('auth.mode jwt needs auth.secret, auth.key_file or auth.jwks_file: set one');
  } else if (given.length > 1) {
    problems.push(`${given.join(' and ')} are set: the kind of key decides, so set only one`);
  }
}

/** What `echo` and YAML blocks leave at an end makes another secret, of which the other side knows nothing. */
function checkSecrets({ auth, backup }: Config, { warnings }: Findings): void {
  const secrets = { 'auth.secret': auth.secret, 'backup.cluster_secret': backup.clusterSecret };
  for (const [key, secret] of Object.entries(secrets)) {
    if (secret === null || secret === secret.trim()) continue;
    warnings.push(
      `${key} begins or ends with white space, such as the line end of echo, which is part of it: take that away, or give it to the other side too`,
    );
  }
}

function checkPorts({ server, backup }: Config, { problems }: Findings): void {
  const listeners: [string, Address | null][] = [
    ['server.http_addr', server.httpAddr],
    ['server.grpc_addr', server.grpcAddr],
    ['server.metrics_addr', server.metricsAddr],
    ['server.ws_addr', server.wsAddr],
  ];
  if (backup.enabled) {
    listeners.push(['backup.heartbeat.listen_addr', backup.heartbeat.listenAddr]);
    listeners.push(['backup.sync.listen_addr', backup.sync.listenAddr]);
  }
  const taken = new Map<string, string>();
  for (const [name, address] of listeners) {
    if (address === null || address.port === 0) continue;
    const text = formatAddress(address.host, address.port);
    const other = taken.get(text);
    if (other === undefined) taken.set(text, name);
    else problems.push(`${name} and ${other} are both ${text}: give each a port of its own`);
  }
}

function checkSessions(config: Config, { problems, warnings }: Findings): void {
  const { session, quic, overloadProtection: limits } = config;
  if (session.maxSessions < limits.maxConnections) {
    problems.push(
      `session.max_sessions is ${session.maxSessions}, below overload_protection.max_connections (${limits.maxConnections}): every connection needs a session`,
    );
  }
  if (session.heartbeatInterval % 1000 !== 0) {
    problems.push('session.heartbeat_interval must be whole seconds, as the protocol tells it so');
  }
  if (session.heartbeatInterval > 0 && quic.idleTimeout <= session.heartbeatInterval) {
    warnings.push(
      `quic.idle_timeout (${formatDuration(quic.idleTimeout)}) does not exceed session.heartbeat_interval (${formatDuration(session.heartbeatInterval)}): quiet clients will be disconnected`,
    );
  }
}

/** As session.outbox_max_frames says it. */
const PUSH_PERCENT = 90;

/** What waits for an openid goes into its outbox at once, and should leave room for answers there. */
function checkOffline({ session }: Config, { warnings }: Findings): void {
  const { offlineTtl, offlineMaxFrames, outboxMaxFrames } = session;
  const room = Math.floor((outboxMaxFrames * PUSH_PERCENT) / 100);
  if (offlineTtl === 0 || offlineMaxFrames <= room) return;
  warnings.push(
    `session.offline_max_frames (${offlineMaxFrames}) exceeds ${PUSH_PERCENT} % of session.outbox_max_frames (${outboxMaxFrames}): a client with so much waiting is refused requests until it has acknowledged some, at most ${room} is better`,
  );
}

function checkWebSocket({ websocket }: Config, { problems }: Findings): void {
  if (websocket.pongTimeout >= websocket.pingInterval) {
    problems.push(
      `websocket.pong_timeout (${formatDuration(websocket.pongTimeout)}) must be below websocket.ping_interval (${formatDuration(websocket.pingInterval)})`,
    );
  }
}

function checkBackup(
  { backup, journal, grpc, server }: Config,
  { problems, warnings }: Findings,
): void {
  if (!backup.enabled) return;
  const needed: [string, unknown][] = [
    ['server_id', backup.serverId],
    ['role_file', backup.roleFile],
    ['heartbeat.peer_addr', backup.heartbeat.peerAddr],
    ['sync.peer_addr', backup.sync.peerAddr],
  ];
  for (const [key, value] of needed) {
    if (value === null) problems.push(`backup.${key} is missing: backup.enabled needs it`);
  }
  if (backup.heartbeat.timeout < 2 * backup.heartbeat.interval) {
    problems.push('backup.heartbeat.timeout must be at least twice backup.heartbeat.interval');
  }
  if (backup.clusterSecret === null && grpc.tls.clientCaFile === null) {
    warnings.push(
      'backup.cluster_secret is not set: the peer is known by its address only, and keys of clients differ after a failover',
    );
  }
  if (server.advertiseAddr === null) {
    warnings.push(
      'server.advertise_addr is not set: the peer cannot tell clients where this gateway is',
    );
  }
  if (backup.onPeerLoss === 'step_down' && backup.promoteStale) {
    warnings.push(
      'backup.promote_stale takes from backup.on_peer_loss step_down what it promises: a backup that is not in sync takes over from a primary that it does not hear, which may serve on',
    );
  }
  if (backup.onPeerLoss === 'continue' && journal.path === null) {
    warnings.push(
      'backup.on_peer_loss is continue without journal.path: a primary restarted while its standby hangs serves empty',
    );
  }
}

function checkFiles(
  { server, quic, routing, journal, log, backup }: Config,
  { problems }: Findings,
): void {
  const orOff = 'create it, name another file, or say off';
  const needed = 'create it, or name another';
  const files: [string, string | null, string][] = [
    ['server.state_file', server.stateFile, orOff],
    ['quic.retry_key_file', quic.retryKeyFile, orOff],
    ['routing.registry_file', routing.registryFile, orOff],
    ['journal.path', journal.path, needed],
    ['backup.role_file', backup.enabled ? backup.roleFile : null, needed],
  ];
  if (log.file !== null && log.format === 'pretty') {
    problems.push('log.format is pretty, but log.file takes json only: drop one of the two');
  }
  for (const [name, path, remedy] of files) {
    const fault = path === null ? null : folderFault(path, remedy);
    if (fault !== null) problems.push(`${name}: ${fault}`);
  }
}

function folderFault(path: string, remedy: string): string | null {
  const folder = dirname(path);
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is not a directory`;
    accessSync(folder, constants.W_OK);
    return null;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return `directory ${folder} ${missing ? 'does not exist' : 'cannot be written'}: ${remedy}`;
  }
}
