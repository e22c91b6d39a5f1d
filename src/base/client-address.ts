import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { formatAddress, parseAddress } from './address.js';
import type { Networks } from './networks.js';

/** Proxies in a row before a client; no real deployment sends a longer header. */
const MAX_HOPS = 16;

/** The part of a request that tells where it came from. */
export type Arrival = Pick<IncomingMessage, 'headers' | 'socket'>;

/** The peer of a request's socket as host:port; IPv4 that came in through an IPv6 socket is written as IPv4. */
export function peerAddress({ socket }: Arrival): string {
  const { remoteAddress = '', remotePort = 0 } = socket;
  return formatAddress(plain(remoteAddress), remotePort);
}

/**
 * Who is behind trusted proxies: each appends the address that it was called from to X-Forwarded-For,
 * so the rightmost one that is no trusted proxy is the client. What stands left of it the client wrote
 * itself, and nobody believes it. A header that is malformed there, or comes from someone who is not
 * trusted, is ignored.
 */
export class ClientAddresses {
  constructor(private readonly trusted: Networks) {}

  /** host:port; the port is 0, for unknown, where a proxy stands between. */
  of(request: Arrival): string {
    const direct = peerAddress(request);
    const header = request.headers['x-forwarded-for'];
    if (header === undefined || !this.trusted.includes(plain(request.socket.remoteAddress ?? ''))) {
      return direct;
    }
    // node:http joins repeated headers with commas.
    const client = this.clientOf(String(header));
    return client === null ? direct : formatAddress(client, 0);
  }

  /** Null where the header is malformed before a client is found. */
  private clientOf(header: string): string | null {
    const hops = header.split(',').slice(-MAX_HOPS).reverse();
    for (const [index, hop] of hops.entries()) {
      const host = hostOf(hop.trim());
      if (host === null) return null;
      // Where all are trusted, the farthest is as close to the client as is known.
      if (!this.trusted.includes(host) || index === hops.length - 1) return host;
    }
    return null;
  }
}

/** The IP address of one entry, which some proxies write with its port. */
function hostOf(hop: string): string | null {
  const bare = hop.replace(/^\[([^\]]*)\]$/, '$1');
  const host = plain(isIP(bare) === 0 ? (parseAddress(hop)?.host ?? '') : bare);
  return isIP(host) === 0 ? null : host;
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
