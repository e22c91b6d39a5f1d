import { formatAddress } from './address.js';
import { StartupError, messageOf } from './errors.js';

const UNRESOLVED: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN']);
const ELSEWHERE: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EINVAL']);

/**
 * Why nothing can listen on an address, in one line.
 * @param what the configuration key, or the protocol.
 * @param host as configured; empty is every interface.
 * @param cause what the system said; its code is looked for in the message too, for grpc-js tells it there.
 * @returns PORT_IN_USE, BAD_ADDRESS (not of this machine) or CANNOT_LISTEN.
 */
export function listenFailure(
  what: string,
  host: string,
  port: number,
  cause: unknown,
): StartupError {
  const where = `${what} ${formatAddress(host, port)}`;
  const reason = /\bE[A-Z_]{4,}\b/.exec(messageOf(cause))?.[0] ?? messageOf(cause);
  const failure = (code: string, line: string) => new StartupError(code, line, { cause });
  if (reason === 'EADDRINUSE') {
    const line = `${where} is in use by another process; stop it or choose another port`;
    return failure('PORT_IN_USE', line);
  }
  if (ELSEWHERE.has(reason)) {
    const line = `${where} is not an address of this machine; leave the host out to listen on all of them`;
    return failure('BAD_ADDRESS', line);
  }
  if (UNRESOLVED.has(reason)) {
    const line = `${where} cannot be resolved (${reason}); give an address of this machine, or leave the host out for all of them`;
    return failure('BAD_ADDRESS', line);
  }
  const line = `cannot listen on ${where} (${reason}); check the address and the rights of this process`;
  return failure('CANNOT_LISTEN', line);
}
