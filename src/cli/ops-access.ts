import type { Command } from 'commander';
import { environmentName } from '../config/schema.js';
import { readFor } from './gateway-trust.js';
import type { OpsIdentity, OpsTarget } from './ops-client.js';
import { UsageError } from './usage-error.js';

/** The certificate that a command shows where ops.tls.client_ca_file wants one. */
export interface IdentityOptions {
  readonly cert?: string;
  readonly key?: string;
}

/** How a command reaches the operators' API of a gateway. No option takes a token: others could read it. */
export interface OpsAccessOptions extends IdentityOptions {
  readonly url: URL;
  readonly tokenFile?: string;
  readonly ca?: string;
}

/** Adds --token-file, --ca, --cert and --key. @param token the keys whose token is meant. */
export function addOpsAccessOptions(command: Command, token: string): Command {
  command
    .option('--token-file <file>', `holds ${token}`)
    .option('--ca <file>', 'PEM of the authorities to trust, for https');
  return addIdentityOptions(command);
}

/** Adds --cert and --key. */
export function addIdentityOptions(command: Command): Command {
  return command
    .option('--cert <file>', 'PEM certificate to show where ops.tls.client_ca_file wants one')
    .option('--key <file>', 'PEM private key of --cert');
}

/**
 * What --cert and --key mean to a client; undefined without them.
 * @throws {UsageError} for one without the other; {CodedError} where a file cannot be read.
 */
export function identityOf({ cert, key }: IdentityOptions): OpsIdentity | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new UsageError('--cert and --key: give both or neither');
  }
  return { cert: readFor('--cert', cert), key: readFor('--key', key) };
}

/** The variable that gives a gateway this token; what calls it takes it from there as well. */
export function tokenVariable(key: 'ops.admin_token' | 'ops.read_token'): string {
  return environmentName(key);
}

/**
 * What the options mean to a client.
 * @param variables that may hold the token, the first that does counts.
 * @throws {CodedError} where a file cannot be read; {UsageError} as identityOf.
 */
export function opsTarget(options: OpsAccessOptions, variables: readonly string[]): OpsTarget {
  const { url, tokenFile, ca } = options;
  const token =
    tokenFile === undefined
      ? variables.map((name) => process.env[name]).find(Boolean)
      : readFor('--token-file', tokenFile).toString('utf8').trim();
  return {
    url,
    token: token ?? null,
    ca: ca === undefined ? null : readFor('--ca', ca),
    identity: identityOf(options),
  };
}
