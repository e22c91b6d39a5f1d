import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartupError } from '../base/errors.js';
import { certificateHash, mayBeTrustedByHash } from '../config/certificate-hash.js';
import type { Config } from '../config/config.js';
import type { ClientFacing } from './client-certificate.js';
import { publicPort } from './http3.js';
import type { PlainPage, PlainPages } from '../edge/plain-pages.js';

export { answerPage } from '../edge/plain-pages.js';
export type { PlainPages } from '../edge/plain-pages.js';

/** Where `npm run build` puts it; the same whether this runs from src/ or from dist/. */
const FOLDER = fileURLToPath(new URL('../../dist/playground', import.meta.url));

/** The playground out of the configuration: on every port that browsers come to, or on none. */
export class Playground implements ClientFacing {
  /** Null where websocket.playground is off. */
  readonly pages: PlainPages | null = null;
  private certificateHashes: readonly string[] = [];

  /** @throws {StartupError} where it is on and was not built. */
  constructor(config: Config, bound: BoundPorts) {
    if (!config.websocket.playground) return;
    this.pages = playgroundPages((pagePort) => ({
      ...portsSeenFrom(pagePort, config, bound),
      insecureWebSocket: false,
      certificateHashes: this.certificateHashes,
    }));
    if (this.pages !== null) return;
    throw new StartupError(
      'PLAYGROUND_MISSING',
      'websocket.playground is on, but the page was not built: run make build',
    );
  }

  useIdentity({ cert }: { readonly cert: Buffer }): void {
    this.certificateHashes = mayBeTrustedByHash(cert) ? [certificateHash(cert)] : [];
  }
}

/** As the gateway's machine knows them; 0: none. */
interface BoundPorts {
  readonly quicPort: number;
  readonly wsPort: number;
}

/**
 * Where a browser finds the gateway that got the page at `pagePort`: behind a port mapping or a proxy another
 * port than any that is bound here. Browsers know that of TCP, also where HTTP/3 brought them the page
 * (RFC 7838 section 2.1), unless it was the port of QUIC that somebody pointed them to.
 */
function portsSeenFrom(pagePort: number, config: Config, { quicPort, wsPort }: BoundPorts) {
  // One port of UDP and TCP is mapped alike for both.
  const mappedAlike = quicPort === wsPort || wsPort === 0;
  return {
    port: publicPort(config, mappedAlike ? pagePort : quicPort),
    webSocketPort: wsPort === 0 || pagePort === quicPort ? wsPort : pagePort,
  };
}

/** The page's files by path, and their types. */
const FILES: readonly (readonly [path: string, file: string, type: string])[] = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/playground/main.js', 'main.js', 'text/javascript; charset=utf-8'],
  ['/playground/playground.css', 'playground.css', 'text/css; charset=utf-8'],
  ['/playground/icon.svg', 'icon.svg', 'image/svg+xml'],
];

const SETUP_PATH = '/playground/setup.json';

/** A host name, IPv4 address or IPv6 address in brackets, as it may stand in a policy; and a port. */
const AUTHORITY = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i;
const HTTPS_PORT = 443;

/** Where the page finds its gateway. */
export interface PlaygroundSetup {
  /** The UDP port of WebTransport. */
  readonly port: number;
  readonly webSocketPort: number;
  /** Whether WebSocket goes without TLS there: through a proxy on this machine. */
  readonly insecureWebSocket: boolean;
  /** Certificates that the page accepts without an authority. */
  readonly certificateHashes: readonly string[];
}

/**
 * The playground: a page that connects to the gateway, shows what comes, and lets people break the
 * connection. It is for everybody and knows no more than any client.
 * @param setup asked anew for each answer, with the port that the browser asked at.
 * @returns null where it was not built.
 */
export function playgroundPages(setup: (pagePort: number) => PlaygroundSetup): PlainPages | null {
  if (!existsSync(join(FOLDER, 'index.html'))) return null;
  const files = new Map(
    FILES.map(([path, file, type]) => [path, { type, body: readFileSync(join(FOLDER, file)) }]),
  );
  return (path, authority) => {
    const [, host, pagePort = HTTPS_PORT] = AUTHORITY.exec(authority) ?? [];
    if (host === undefined) return null;
    const found = setup(Number(pagePort));
    if (path === SETUP_PATH) {
      const { port, ...rest } = found;
      const body = Buffer.from(JSON.stringify({ address: `${host}:${port}`, ...rest }));
      return withHeaders({ type: 'application/json', body }, host, found);
    }
    const file = files.get(path);
    return file === undefined ? null : withHeaders(file, host, found);
  };
}

function withHeaders(
  file: Omit<PlainPage, 'headers'>,
  host: string,
  { port, webSocketPort, insecureWebSocket }: PlaygroundSetup,
): PlainPage {
  const webSocket = `${insecureWebSocket ? 'ws' : 'wss'}://${host}:${webSocketPort}`;
  // Nothing from elsewhere, no script or style in the page itself, no frame around it.
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' https://${host}:${port} ${webSocket}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    ...file,
    headers: {
      'content-security-policy': policy.join('; '),
      'cache-control': 'no-cache',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  };
}
