import { formatAddress } from '../base/address.js';
import { ClientAddresses } from '../base/client-address.js';
import type { Arrival } from '../base/client-address.js';
import { Networks } from '../base/networks.js';
import type { Config } from '../config/config.js';
import { RoutingRules } from '../routing/routing-rules.js';
import type { ZoneRouterOptions } from '../routing/zone-router.js';
import type { SessionOptions } from '../session/options.js';
import { NO_LIMITS } from '../session/overload/options.js';
import type { OverloadOptions } from '../session/overload/options.js';

/** The session layer's options out of the configuration. */
export function sessionOptions(config: Config): SessionOptions {
  const { auth, server, session, overloadProtection: overload } = config;
  return {
    sessionTimeout: server.sessionTimeout,
    resumeWindow: session.resumeWindow,
    maxSessions: session.maxSessions,
    maxConnections: overload.enabled ? overload.maxConnections : Infinity,
    surplusConnections: roomAbove(config),
    authTimeout: session.authTimeout,
    authGrace: auth.grace,
    heartbeatInterval: session.heartbeatInterval,
    maxInFlight: session.maxInFlight,
    outboxMaxFrames: session.outboxMaxFrames,
    outboxMaxBytes: session.outboxMaxBytes,
    outboxTotalBytes: session.outboxTotalBytes,
    ackTimeout: server.ackTimeout,
    maxRetries: server.maxRetries,
    slowConsumer: session.slowConsumer,
    loginAction: session.loginAction ?? '',
    offlineTtl: session.offlineTtl,
    offlineMaxFrames: session.offlineMaxFrames,
    offlineMaxBytes: session.offlineMaxBytes,
  };
}

/** What sessions enforce of overload_protection; 0 is no limit. */
export function overloadOptions({ overloadProtection: overload }: Config): OverloadOptions {
  const qpsWindow = overload.qpsWindowSeconds * 1000;
  if (!overload.enabled) return { ...NO_LIMITS, qpsWindow };
  return {
    maxQps: overload.maxQps === 0 ? Infinity : overload.maxQps,
    qpsWindow,
    qpsWarning: overload.qpsWarningThreshold,
    connectionWarning: overload.connectionWarningThreshold,
    sessionQps: overload.sessionQps,
    sessionBurst: overload.sessionBurst,
    addressConnections: overload.addressConnections,
    addressConnectionRate: overload.addressConnectionRate,
    maxEventLoopDelay: overload.maxEventLoopDelay,
  };
}

/** Where requests go, out of the configuration. */
export function routingRules({ routing }: Config): RoutingRules {
  return new RoutingRules(routing.rules, routing.services);
}

/** The router's options out of the configuration. */
export function routerOptions(config: Config): ZoneRouterOptions {
  const { server, routing, grpc, overloadProtection: overload } = config;
  const unlimited = !overload.enabled || overload.maxUpstreamConcurrent === 0;
  const anySize = !overload.enabled || overload.maxUpstreamBytes === 0;
  const fallback = server.upstreamAddr;
  return {
    upstreamTimeoutMs: overload.upstreamTimeout,
    maxConcurrent: unlimited ? Infinity : overload.maxUpstreamConcurrent,
    maxConcurrentBytes: anySize ? Infinity : overload.maxUpstreamBytes,
    warnConcurrent: unlimited ? Infinity : overload.upstreamWarningThreshold,
    serialize: routing.serialize,
    rules: routingRules(config),
    registryFile: routing.registryFile ?? '',
    registerAllow: grpc.registerAllow,
    fallbackAddress: fallback === null ? '' : formatAddress(fallback.host, fallback.port),
  };
}

/**
 * Connections above which Initials are refused before a handshake: a tenth above max_connections,
 * so that most clients over capacity still hear the 503 (docs/SESSIONS.md, "Error codes").
 */
export function handshakeLimit(config: Config): number {
  const { enabled, maxConnections } = config.overloadProtection;
  return enabled ? Math.ceil(maxConnections * 1.1) : Infinity;
}

/**
 * Handshakes under way from which on clients must prove their address: those of forged addresses never end by
 * themselves, and may fill no more than what is kept above max_connections.
 */
export function unprovenLimit(config: Config): number {
  return Math.min(config.quic.maxHalfOpen, roomAbove(config));
}

/** Connections that are kept above max_connections; Infinity without limits. */
function roomAbove(config: Config): number {
  return handshakeLimit(config) - config.overloadProtection.maxConnections;
}

/** How the address of a client is told behind server.trusted_proxies; undefined where there are none. */
export function addressOf({ server }: Config): ((request: Arrival) => string) | undefined {
  if (server.trustedProxies.length === 0) return undefined;
  const trusted = new Networks('server.trusted_proxies', server.trustedProxies);
  const addresses = new ClientAddresses(trusted);
  return (request) => addresses.of(request);
}
