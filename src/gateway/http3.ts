import type { Config } from '../config/config.js';
import { VERSION } from '../config/version.js';
import { HTTP3_ALPN, Http3Edge } from '../edge/h3-edge.js';
import type { Http3EdgeOptions, TakePlace } from '../edge/h3-edge.js';
import { http3Pages } from '../edge/h3-pages.js';
import type { Http3PageFacts } from '../edge/h3-pages.js';
import type { PlainPages } from '../edge/plain-pages.js';
import { addressKey } from '../session/overload/address-key.js';
import { AddressLimits } from '../session/overload/address-limits.js';
import type { SessionService } from '../session/session-service.js';
import type { Metrics } from '../telemetry/metrics.js';
import { handshakeLimit, overloadOptions } from './options.js';

/** How long clients may remember where HTTP/3 is, s. */
const ALT_SVC_MAX_AGE_S = 86_400;

type Parts = Pick<Http3EdgeOptions, 'accept' | 'clock' | 'wheel'> &
  Pick<Http3PageFacts, 'readiness' | 'quicPort' | 'wsPort'> & { readonly pages: PlainPages | null };

/** HTTP/3 on the port of QUIC clients, out of the configuration; null where quic.http3 is off. */
export function http3Edge(
  config: Config,
  sessions: SessionService,
  metrics: Metrics,
  { accept, clock, wheel, pages, readiness, quicPort, wsPort }: Parts,
): Http3Edge | null {
  if (!config.quic.http3) return null;
  const limit = handshakeLimit(config);
  return new Http3Edge({
    accept,
    clock,
    wheel,
    metrics: metrics.http3,
    rejected: metrics.quic.rejected,
    origins: config.websocket.origins,
    webTransport: config.webtransport.enabled ? config.webtransport : null,
    plainPages: pages,
    takePlace: connectionPlaces(config),
    full: () => sessions.connectionCount >= limit,
    pages: http3Pages({
      version: VERSION,
      readiness,
      quicPort: () => publicPort(config, quicPort()),
      // On one port of UDP and TCP both are mapped alike; of another one nobody has told.
      wsPort: () => (wsPort() === quicPort() ? publicPort(config, wsPort()) : wsPort()),
      webTransport: config.webtransport.enabled,
      idleTimeout: config.quic.idleTimeout,
      maxInFlight: config.session.maxInFlight,
    }),
  });
}

/**
 * Sessions count their connections themselves. One of HTTP/3 may have none and yet stay, for the pages: these
 * count by themselves, so that a client's page takes no place from its session. As many again are served a page and end.
 */
function connectionPlaces(config: Config): TakePlace | null {
  const { addressConnections } = overloadOptions(config);
  if (addressConnections === 0) return null;
  const kinds = [false, true].map((brief) => ({
    brief,
    limits: new AddressLimits({ addressConnections, addressConnectionRate: 0 }),
  }));
  return (remoteAddress) => {
    const key = addressKey(remoteAddress);
    for (const { brief, limits } of kinds) {
      if (limits.enter(key, 0) === null) return { brief, giveUp: () => limits.leave(key) };
    }
    return null;
  };
}

/** The Alt-Svc header that tells where HTTP/3 is (RFC 9114 section 3.1); null while it is nowhere. */
export function altSvc(config: Config, port: number): string | null {
  return port === 0
    ? null
    : `${HTTP3_ALPN}=":${publicPort(config, port)}"; ma=${ALT_SVC_MAX_AGE_S}`;
}

/** Where clients find what is bound to the port of QUIC: behind a port mapping another than that. */
export function publicPort({ server }: Config, bound: number): number {
  return server.advertiseAddr?.port ?? bound;
}
