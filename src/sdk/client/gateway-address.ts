import { parseAddress } from '../../base/address.js';
import { ConnectionError } from './core/errors.js';

/** The gateway's port where an address names none (WIRE.md, "Client edge"). */
const DEFAULT_PORT = 8453;

/** Whom a client takes for its gateway. */
export interface TlsOptions {
  /** PEM of the authorities to trust; default: those that Node trusts. */
  readonly ca?: string | Uint8Array;
  /** Accepts any certificate: for development only. */
  readonly insecure?: boolean;
  /** The name or address that the gateway's certificate must bear; default: the host of the address. */
  readonly serverName?: string;
}

/**
 * Reads `host:port` or `host`.
 * @throws {ConnectionError} where it is neither.
 */
export function targetOf(
  address: string,
  serverName?: string,
): { host: string; port: number; serverName?: string } {
  const target = parseAddress(address) ?? parseAddress(`${address}:${DEFAULT_PORT}`);
  if (target === null || target.host === '' || target.port === 0) {
    throw new ConnectionError(0, `${address} is no gateway address; give host:port`);
  }
  return serverName === undefined ? target : { ...target, serverName };
}
