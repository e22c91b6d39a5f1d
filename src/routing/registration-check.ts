import { SocketAddress, isIP } from 'node:net';
import { formatAddress, isAnyHost, parseAddress } from '../base/address.js';
import type {
  RegistrationErrorCode,
  RegistrationRequest,
  RegistrationResult,
} from '../upstream/registration-sink.js';
import { isPoolName, isZone } from './zone.js';

/** Longest name in DNS (RFC 1035 section 2.3.4). */
const MAX_HOST_BYTES = 253;
/** It is shown to operators and kept in the registry file. */
const MAX_SERVICE_NAME_BYTES = 128;
/** Room for capabilities that later gateways know; each is a short word. */
const MAX_CAPABILITIES = 16;
const MAX_CAPABILITY_BYTES = 64;
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;

/** Of registrations and deregistrations alike. */
export const UNKNOWN_ZONE = 'zone_id is none of 001 to 006, and no service of routing.services';

/** A registration that was checked, as the table and the registry file keep it. */
export interface UpstreamEntry {
  /** `host:port` to dial, lower case, IPv6 in brackets and in its shortest spelling (RFC 5952). */
  readonly address: string;
  /** The zone or the service that it is an instance of. */
  readonly zone: string;
  readonly serviceName: string;
  readonly capabilities: readonly string[];
  /** The host was taken from where the call came from; wrong behind NAT or a proxy. */
  readonly hostFromCaller: boolean;
}

/** A registration result that refuses. */
export function refuse(errorCode: RegistrationErrorCode, message: string): RegistrationResult {
  return { success: false, message, errorCode };
}

/**
 * Checks a registration and finds the address that it means.
 * @param knows whether there is a zone or a service of a name.
 */
export function checkRegistration(
  request: RegistrationRequest,
  knows: (name: string) => boolean = isZone,
): { entry: UpstreamEntry } | { refusal: RegistrationResult } {
  const { zoneId, serviceName, capabilities } = request;
  if (!knows(zoneId)) return { refusal: refuse('INVALID_ZONE_ID', UNKNOWN_ZONE) };
  if (Buffer.byteLength(serviceName) > MAX_SERVICE_NAME_BYTES) {
    const message = `service_name is longer than ${MAX_SERVICE_NAME_BYTES} bytes`;
    return { refusal: refuse('REGISTER_FAILED', message) };
  }
  if (!areCapabilities(capabilities)) {
    const message = `more than ${MAX_CAPABILITIES} capabilities, or one too long`;
    return { refusal: refuse('REGISTER_FAILED', message) };
  }
  const found = resolveAddress(request.address, request.peer);
  if ('reason' in found) return { refusal: refuse('INVALID_ADDRESS', found.reason) };
  return { entry: { ...found, zone: zoneId, serviceName, capabilities: [...capabilities] } };
}

/** Whether what a registry file holds is an entry that a registration could have made. */
export function isUpstreamEntry(value: unknown): value is UpstreamEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { address, zone, serviceName, capabilities, hostFromCaller } = value as Record<
    string,
    unknown
  >;
  if (typeof address !== 'string' || typeof zone !== 'string' || !isPoolName(zone)) return false;
  if (typeof serviceName !== 'string' || typeof hostFromCaller !== 'boolean') return false;
  if (!Array.isArray(capabilities) || !capabilities.every((word) => typeof word === 'string')) {
    return false;
  }
  if (!areCapabilities(capabilities)) return false;
  return isDialled(address);
}

/** As it would be registered today: older versions kept each spelling of an IPv6 address as it was. */
export function respelled(entry: UpstreamEntry): UpstreamEntry {
  const found = resolveAddress(entry.address, '');
  return 'address' in found ? { ...entry, address: found.address } : entry;
}

/**
 * The host of a peer as gRPC names it: the text up to its last colon, `::ffff:` stripped.
 * @returns null where the peer is no IP address.
 */
export function hostOfPeer(peer: string): string | null {
  const colon = peer.lastIndexOf(':');
  if (colon <= 0) return null;
  const host = peer
    .slice(0, colon)
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(host) === 0 ? null : host;
}

/**
 * `:9001`, `0.0.0.0:9001`, `[::]:9001` and `[::0]:9001` all mean the caller's host: they are what an upstream
 * listens on, and none can be dialled from elsewhere.
 */
export function resolveAddress(
  text: string,
  peer: string,
): { address: string; hostFromCaller: boolean } | { reason: string } {
  const parsed = parseAddress(text);
  if (parsed === null) return { reason: 'address is not host:port or :port' };
  const { port } = parsed;
  if (port === 0) return { reason: 'address has port 0' };
  const host = canonicalHost(parsed.host.toLowerCase());
  if (isAnyHost(host)) {
    const callerHost = hostOfPeer(peer);
    if (callerHost === null) return { reason: 'address has no host and the caller has none' };
    return { address: formatAddress(callerHost, port), hostFromCaller: true };
  }
  if (!isHost(host)) return { reason: 'address has no valid host' };
  return { address: formatAddress(host, port), hostFromCaller: false };
}

/** The one spelling of an IP address; that of IPv4 for an IPv4 address in IPv6. Names stay as they are. */
function canonicalHost(host: string): string {
  if (isIP(host) !== 6) return host;
  const [address = '', scope] = host.split('%');
  const shortest = new SocketAddress({ address, family: 'ipv6' }).address;
  const plain = shortest.replace(/^::ffff:(?=\d+\.)/, '');
  return scope === undefined ? plain : `${plain}%${scope}`;
}

/** Whether an address is one that some version of the gateway has kept. */
function isDialled(address: string): boolean {
  const { host = '', port = 0 } = parseAddress(address) ?? {};
  if (port === 0 || host !== host.toLowerCase()) return false;
  return isHost(host) && formatAddress(host, port) === address;
}

function isHost(host: string): boolean {
  if (host.includes(':')) return isIP(host) === 6;
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4;
  return host.length <= MAX_HOST_BYTES && HOST_NAME.test(host) && !host.includes('..');
}

function areCapabilities(words: readonly string[]): boolean {
  if (words.length > MAX_CAPABILITIES) return false;
  return words.every((word) => Buffer.byteLength(word) <= MAX_CAPABILITY_BYTES);
}
