import { isIPv4, isIPv6 } from 'node:net';
import { parseAddress } from '../../base/address.js';

/** Groups of 16 bits that name a network of IPv6: a subscriber is given a /64 at least (RFC 6177). */
const NETWORK_GROUPS = 4;

/**
 * Who is behind an address as far as limits go: an IPv4 address, or the /64 of an IPv6 one, for its
 * owner has all the others of it too. Anything else is its own key.
 * @param remoteAddress `host:port`, an IPv6 host in brackets.
 */
export function addressKey(remoteAddress: string): string {
  const host = parseAddress(remoteAddress)?.host ?? remoteAddress;
  const plain = host.replace(/%.*$/, '');
  const mapped = /^::ffff:([\d.]+)$/i.exec(plain)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  return isIPv6(plain) ? networkOf(plain) : host;
}

function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    while (groups.length + behind < 8) groups.push('0');
    groups.push(...tail.split(':'));
  }
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
