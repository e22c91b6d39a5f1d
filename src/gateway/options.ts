import { formatAddress } from '../base/address.js';
import type { Config } from '../config/config.js';
import type { ZoneRouterOptions } from '../routing/zone-router.js';
import type { SessionOptions } from '../session/options.js';

/** The session layer's options out of the configuration. */
export function sessionOptions(config: Config): SessionOptions {
  const { auth, server, session, overloadProtection: overload } = config;
  return {
    sessionTimeout: server.sessionTimeout,
    resumeWindow: session.resumeWindow,
    maxSessions: session.maxSessions,
    maxConnections: overload.enabled ? overload.maxConnections : Infinity,
    authTimeout: session.authTimeout,
    authGrace: auth.grace,
    heartbeatInterval: session.heartbeatInterval,
    maxInFlight: session.maxInFlight,
    outboxMaxFrames: session.outboxMaxFrames,
    outboxMaxBytes: session.outboxMaxBytes,
    ackTimeout: server.ackTimeout,
    maxRetries: server.maxRetries,
    slowConsumer: session.slowConsumer,
    loginAction: session.loginAction ?? '',
    offlineTtl: session.offlineTtl,
    offlineMaxFrames: session.offlineMaxFrames,
    offlineMaxBytes: session.offlineMaxBytes,
  };
}

/** The router's options out of the configuration. */
export function routerOptions(config: Config): ZoneRouterOptions {
  const { server, routing, overloadProtection: overload } = config;
  const unlimited = !overload.enabled || overload.maxUpstreamConcurrent === 0;
  const fallback = server.upstreamAddr;
  return {
    upstreamTimeoutMs: overload.upstreamTimeout,
    maxConcurrent: unlimited ? Infinity : overload.maxUpstreamConcurrent,
    warnConcurrent: unlimited ? Infinity : overload.upstreamWarningThreshold,
    serialize: routing.serialize,
    registryFile: routing.registryFile ?? '',
    fallbackAddress: fallback === null ? '' : formatAddress(fallback.host, fallback.port),
  };
}

/**
 * Connections above which Initials are refused before a handshake: a tenth above max_connections,
 * so that most clients over capacity still hear the 503 (SESSIONS.md, "Downstream").
 */
export function handshakeLimit(config: Config): number {
  const { enabled, maxConnections } = config.overloadProtection;
  return enabled ? Math.ceil(maxConnections * 1.1) : Infinity;
}
