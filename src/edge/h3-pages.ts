import { MAX_FRAME_BYTES, MAX_OPENID_BYTES } from '../wire/limits.js';
import { BINARY_SUBPROTOCOL, WS_PATH } from '../websocket/ws-endpoint.js';
import { MAX_REQUESTS } from '../http3/limits.js';
import { HTTP3_ALPN, STREAM_CONTENT_TYPE, STREAM_PATH, WEBTRANSPORT_PATH } from './h3-edge.js';
import type { Http3Page } from './h3-edge.js';
import { GATESVR_ALPN } from './quic-edge.js';

/** Of the messages that clients speak (docs/PROTOCOL.md); additions to them do not change it. */
const PROTOCOL_VERSION = 1;

/** What the pages tell; asked anew for each answer. */
export interface Http3PageFacts {
  readonly version: string;
  /** Whether clients should come here, and `serving`, `draining`, ... */
  readiness(): { readonly ready: boolean; readonly state: string };
  /** The UDP port of QUIC and HTTP/3. */
  quicPort(): number;
  /** The TCP port of WebSocket clients, 0 where there is none. */
  wsPort(): number;
  /** Whether WebTransport sessions may begin. */
  readonly webTransport: boolean;
  /** ms. */
  readonly idleTimeout: number;
  readonly maxInFlight: number;
}

/**
 * The pages of the clients' port. They are for everybody: no word about sessions, upstreams or load,
 * which the operators' port tells.
 */
export function http3Pages(facts: Http3PageFacts): ReadonlyMap<string, Http3Page> {
  return new Map<string, Http3Page>([
    ['/health', () => health(facts)],
    ['/.well-known/gatesvr', () => discovery(facts)],
  ]);
}

function health(facts: Http3PageFacts) {
  const { ready, state } = facts.readiness();
  return { status: 'healthy', ready, state };
}

function discovery(facts: Http3PageFacts) {
  const port = facts.quicPort();
  const wsPort = facts.wsPort();
  const webTransport = {
    transport: 'webtransport',
    port,
    alpn: HTTP3_ALPN,
    path: WEBTRANSPORT_PATH,
  };
  const webSocket = {
    transport: 'websocket',
    port: wsPort,
    path: WS_PATH,
    subprotocols: [BINARY_SUBPROTOCOL, 'gatesvr.json'],
  };
  return {
    protocol_version: PROTOCOL_VERSION,
    version: facts.version,
    transports: [
      { transport: 'quic', port, alpn: GATESVR_ALPN },
      {
        transport: 'http3',
        port,
        alpn: HTTP3_ALPN,
        path: STREAM_PATH,
        content_type: STREAM_CONTENT_TYPE,
      },
      ...(facts.webTransport ? [webTransport] : []),
      ...(wsPort === 0 ? [] : [webSocket]),
    ],
    limits: {
      frame_bytes: MAX_FRAME_BYTES,
      openid_bytes: MAX_OPENID_BYTES,
      requests_in_flight: facts.maxInFlight,
      streams_per_connection: MAX_REQUESTS,
      idle_timeout_ms: facts.idleTimeout,
    },
  };
}
