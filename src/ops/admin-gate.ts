import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { BearerToken } from './bearer-token.js';

/** What of a request says who asks. */
export interface AskedBy {
  /** Address of the TCP peer, as the system tells it. */
  readonly peer: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Headers that a web page in a browser on this machine, or a proxy in front of us, adds: then the
 * peer being on loopback says nothing about who asks.
 */
const FOREIGN_HEADERS = /^(origin|referer|via|forwarded|x-forwarded-.*|x-real-ip)$/;

/**
 * Decides who may call what changes or profiles the gateway. With a token: whoever brings it in the
 * Authorization header, and nobody else. Without: callers on this machine, as long as neither a web
 * page nor a proxy stands behind them.
 */
export class AdminGate {
  private readonly token: BearerToken | null;

  /** @param token ops.admin_token, null where there is none. */
  constructor(token: string | null) {
    this.token = token === null ? null : new BearerToken(token);
  }

  /** @returns null when it may, else what the caller should be told to do. */
  refusal({ peer, headers }: AskedBy): string | null {
    if (this.token !== null) {
      return this.token.isIn(headers)
        ? null
        : 'give ops.admin_token as Authorization: Bearer TOKEN';
    }
    const local = isLoopback(peer ?? '') && isLoopbackHost(headers.host ?? '');
    if (local && !hasForeignHeader(headers)) return null;
    return 'only callers on this machine may, directly and not from a web page; else set ops.admin_token';
  }
}

function hasForeignHeader(headers: IncomingHttpHeaders): boolean {
  // A browser sends no Origin with an <img> or a link, but says where it comes from.
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none') return true;
  return Object.keys(headers).some((name) => FOREIGN_HEADERS.test(name));
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

/** The Host header: a name that someone else's DNS points to loopback is not ours. */
function isLoopbackHost(header: string): boolean {
  const name = header.replace(/:\d{1,5}$/, '').toLowerCase();
  return name === 'localhost' || isLoopback(name.replace(/^\[(.*)\]$/, '$1'));
}
