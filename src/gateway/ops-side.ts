import type { Config } from '../config/config.js';
import { VERSION } from '../config/version.js';
import type { OpsControls } from '../ops/ops-source.js';
import { OpsServer } from '../ops/ops-server.js';
import type { Logger } from '../telemetry/log.js';
import type { LogLevel } from '../telemetry/log-level.js';
import { OpsView } from './ops-view.js';
import type { OpsViewParts } from './ops-view.js';
import { routerOptions } from './options.js';

interface OpsSideParts extends Omit<OpsViewParts, 'upstreamWarning'> {
  readonly log: Logger;
  readonly logLevel: LogLevel;
  /** Sends clients away, for good; what goes wrong is logged by it. */
  readonly drain: () => void;
}

/** The operators' listeners out of the configuration, with what they show and what they may do. */
export function opsServer(config: Config, parts: OpsSideParts): OpsServer {
  const { httpAddr, metricsAddr } = config.server;
  const { metrics, clock, log } = parts;
  return new OpsServer({
    httpAddr,
    metricsAddr,
    adminToken: config.ops.adminToken,
    source: new OpsView({
      ...parts,
      upstreamWarning: routerOptions(config).warnConcurrent ?? Infinity,
    }),
    controls: opsControls(parts),
    metrics,
    clock,
    log,
    version: VERSION,
  });
}

function opsControls({ sessions, state, drain, logLevel }: OpsSideParts): OpsControls {
  return {
    kick: (targetId, reason) =>
      sessions.clients.kick({ targetType: 'session', targetId }, reason) !== null,
    drain: () => {
      if (state().state === 'starting') return false;
      drain();
      return true;
    },
    logLevel: () => logLevel.current,
    setLogLevel: (level) => logLevel.set(level),
  };
}
