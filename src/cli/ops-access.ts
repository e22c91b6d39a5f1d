import { environmentName } from '../config/schema.js';
import { readFor } from './gateway-trust.js';
import type { OpsTarget } from './ops-client.js';

/** How a command reaches the operators' API of a gateway. No option takes a token: others could read it. */
export interface OpsAccessOptions {
  readonly url: URL;
  readonly tokenFile?: string;
  readonly ca?: string;
}

/** The variable that gives a gateway this token; what calls it takes it from there as well. */
export function tokenVariable(key: 'ops.admin_token' | 'ops.read_token'): string {
  return environmentName(key);
}

/**
 * What the options mean to a client.
 * @param variables that may hold the token, the first that does counts.
 * @throws {CodedError} where a file cannot be read.
 */
export function opsTarget(
  { url, tokenFile, ca }: OpsAccessOptions,
  variables: readonly string[],
): OpsTarget {
  const token =
    tokenFile === undefined
      ? variables.map((name) => process.env[name]).find(Boolean)
      : readFor('--token-file', tokenFile).toString('utf8').trim();
  return { url, token: token ?? null, ca: ca === undefined ? null : readFor('--ca', ca) };
}
