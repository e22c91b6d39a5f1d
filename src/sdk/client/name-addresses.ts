import dns from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Target } from './gateway-address.js';

/**
 * Each address of a name, in the resolver's order: of several gateways, or of two families of which one does not get
 * through, the first may be the one that is silent.
 * @returns the target itself where it names one address, or cannot be resolved: whoever connects says so.
 */
export async function targetsOf(target: Target): Promise<readonly Target[]> {
  const { host, serverName = host } = target;
  if (isIP(host) !== 0) return [target];
  const found = await dns.lookup(host, { all: true }).catch(() => []);
  if (found.length < 2) return [target];
  return found.map(({ address }) => ({ ...target, host: address, serverName }));
}
