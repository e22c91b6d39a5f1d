import type { IncomingMessage } from 'node:http';
import { binaryCodec } from '../websocket/ws-codec.js';
import type { WsCodec } from '../websocket/ws-codec.js';
import { BINARY_SUBPROTOCOL, WS_PATH } from '../websocket/ws-endpoint.js';
import { jsonCodec } from './ws-json.js';

/** Subprotocols in the order of preference where a client offers several. */
export const subprotocols: ReadonlyMap<string, WsCodec> = new Map([
  [BINARY_SUBPROTOCOL, binaryCodec],
  ['gatesvr.json', jsonCodec],
]);

/** When a client that was refused for lack of room may try again, s. */
export const RETRY_AFTER_S = 5;

/** A refusal before the upgrade: an HTTP answer. */
export interface UpgradeRefusal {
  readonly status: 400 | 404 | 426 | 503;
  /** The value of the metric's label. */
  readonly reason: string;
  /** Told to the client. */
  readonly message: string;
}

/** Of RFC 6455; ws takes the draft's 8 too, which is the same on the wire. */
export const WS_VERSION = '13';
const VERSIONS: ReadonlySet<string> = new Set([WS_VERSION, '8']);

/** Why the line and headers of a request cannot become a WebSocket of ours, or null. */
export function refusalOf(request: IncomingMessage): UpgradeRefusal | null {
  if (pathOf(request) !== WS_PATH) {
    return { status: 404, reason: 'ws_path', message: `WebSocket clients connect to ${WS_PATH}` };
  }
  if (chooseSubprotocol(offered(request)) === null) {
    const known = [...subprotocols.keys()].join(' or ');
    return { status: 400, reason: 'ws_subprotocol', message: `offer subprotocol ${known}` };
  }
  if (!VERSIONS.has(request.headers['sec-websocket-version'] ?? '')) {
    const message = `this is WebSocket version ${WS_VERSION}`;
    return { status: 426, reason: 'ws_bad_request', message };
  }
  return null;
}

/** The path of a request, without its query. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/** The first of our subprotocols that a client offers, or null. */
export function chooseSubprotocol(offers: ReadonlySet<string>): string | null {
  for (const name of subprotocols.keys()) if (offers.has(name)) return name;
  return null;
}

function offered({ headers }: IncomingMessage): Set<string> {
  const list = headers['sec-websocket-protocol'] ?? '';
  return new Set(list.split(',').map((name) => name.trim()));
}

/**
 * Whether a page of this origin may connect. A request without Origin comes from no browser and may;
 * a page of the very host that it connects to may too, whatever its port; others must be listed:
 * `https://example.com`, `https://*.example.com`, or `*` for every origin.
 */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (allowed.some((pattern) => originMatches(origin, pattern))) return true;
  const page = hostOf(origin);
  return page !== null && host !== undefined && page === hostOf(`https://${host}`);
}

function originMatches(origin: string, pattern: string): boolean {
  if (pattern === '*') return true;
  const text = origin.toLowerCase();
  const [scheme, suffix] = pattern.toLowerCase().split('*', 2) as [string, string | undefined];
  if (suffix === undefined) return text === scheme;
  // At least one character for the star, and no slash or colon in it: a host's label or several.
  const star = text.slice(scheme.length, text.length - suffix.length);
  return text.startsWith(scheme) && text.endsWith(suffix) && /^[a-z0-9.-]+$/.test(star);
}

function hostOf(url: string): string | null {
  try {
    const { hostname } = new URL(url);
    return hostname === '' ? null : hostname;
  } catch {
    return null;
  }
}
