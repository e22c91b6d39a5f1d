import { parseAddress } from '../../base/address.js';
import { messageOf } from '../../base/errors.js';
import { holdsCertificate } from '../../base/pem.js';
import { ConnectionError } from './core/errors.js';
import { givenAddresses } from './core/options.js';
import type { CoreClientOptions } from './core/options.js';

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
 * Without a certificate nothing is trusted, and each attempt would end with a TLS alert that tells nobody why.
 * @throws {RangeError} where `ca` holds none and is to be used.
 */
export function checkTrust({ ca, insecure = false }: TlsOptions): void {
  if (insecure || ca === undefined || holdsCertificate(ca)) return;
  throw new RangeError('ca holds no certificate; give the text of a PEM file, not its path');
}

/**
 * What can never be reached is told before anything is tried.
 * @throws {RangeError} where one of them is no gateway address.
 */
export function checkAddresses(options: CoreClientOptions): void {
  try {
    for (const address of givenAddresses(options)) targetOf(address);
  } catch (error) {
    throw new RangeError(messageOf(error), { cause: error });
  }
}

/** One place to connect to, and the name that its certificate must bear where that is not the host. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly serverName?: string;
}

/**
 * Reads `host:port` or `host`.
 * @throws {ConnectionError} where it is neither.
 */
export function targetOf(address: string, serverName?: string): Target {
  const target = parseAddress(address) ?? parseAddress(`${address}:${DEFAULT_PORT}`);
  if (target === null || target.host === '' || target.port === 0) {
    throw new ConnectionError(
      0,
      `${JSON.stringify(address)} is no gateway address; give host:port`,
    );
  }
  return serverName === undefined ? target : { ...target, serverName };
}
