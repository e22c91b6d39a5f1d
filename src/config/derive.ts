import { accessSync, constants } from 'node:fs';
import type { Config, Draft } from './config.js';
import { inOrderTried } from './routing/order.js';
import type { Findings } from './source.js';

/**
 * Fills in the defaults that follow from other keys. Changes and returns the draft.
 * @param findings gets a warning where state cannot be kept in the working directory.
 */
export function derive(draft: Draft, findings: Findings): Config {
  const { server, session, quic, websocket, webtransport, routing, backup } = draft;
  const port = server.quicAddr.port;
  const keeps = port !== 0 && workingFolderKeeps(draft, findings);
  const fileOfPort = (ending: string) => (keeps ? `gatesvr-${port}.${ending}` : null);
  if (server.wsAddr === undefined) server.wsAddr = freeOnTcp(draft) ? server.quicAddr : null;
  if (server.stateFile === undefined) server.stateFile = fileOfPort('state');
  if (quic.retryKeyFile === undefined) quic.retryKeyFile = fileOfPort('keys.state');
  if (routing.registryFile === undefined) routing.registryFile = fileOfPort('upstreams.state');
  if (backup.roleFile === undefined) backup.roleFile = fileOfPort('role.state');
  webtransport.origins ??= websocket.origins;
  routing.rules = inOrderTried(routing.rules);
  session.resumeWindow ??= server.sessionTimeout;
  session.maxSessions ??= 2 * draft.overloadProtection.maxConnections;
  draft.overloadProtection.sessionBurst ??= draft.overloadProtection.sessionQps;
  deriveThresholds(draft.overloadProtection);
  return draft as Config;
}

/** A file that no one named must not stop the start: where it cannot be written, there is none. */
function workingFolderKeeps({ server, quic, routing, backup }: Draft, findings: Findings): boolean {
  const unset = [server.stateFile, quic.retryKeyFile, routing.registryFile];
  if (backup.enabled) unset.push(backup.roleFile);
  if (!unset.includes(undefined)) return false;
  try {
    accessSync('.', constants.W_OK);
    return true;
  } catch {
    findings.warnings.push(
      'the working directory cannot be written, so nothing is kept over a restart: set server.state_file, routing.registry_file and quic.retry_key_file',
    );
    return false;
  }
}

/** The port of QUIC is UDP; on TCP another listener may have it. */
function freeOnTcp({ server }: Draft): boolean {
  const others = [server.httpAddr, server.grpcAddr, server.metricsAddr];
  return others.every((other) => other === null || other.port !== server.quicAddr.port);
}

function deriveThresholds(limits: Draft['overloadProtection']): void {
  limits.connectionWarningThreshold = settled(
    limits.connectionWarningThreshold,
    limits.maxConnections,
  );
  limits.qpsWarningThreshold = settled(limits.qpsWarningThreshold, limits.maxQps);
  limits.upstreamWarningThreshold = settled(
    limits.upstreamWarningThreshold,
    limits.maxUpstreamConcurrent,
  );
}

/** A threshold up to 1 is a share of its limit. */
function settled(threshold: number, limit: number): number {
  return threshold > 0 && threshold <= 1 ? Math.floor(threshold * limit) : threshold;
}
