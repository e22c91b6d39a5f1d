import { BlockList, isIP } from 'node:net';
import { StartupError } from './errors.js';

/** A set of IP networks, such as 10.0.0.0/8 or fd00::/8; an address alone is a network of one. */
export class Networks {
  private readonly list = new BlockList();

  /**
   * @param key the configuration key that names them, for messages.
   * @throws {StartupError} BAD_NETWORK naming what is no network.
   */
  constructor(
    private readonly key: string,
    networks: readonly string[],
  ) {
    for (const network of networks) this.add(network);
  }

  /** @param host an IP address; a name is in no network. */
  includes(host: string): boolean {
    const family = isIP(host);
    if (family === 0) return false;
    return this.list.check(host, family === 4 ? 'ipv4' : 'ipv6');
  }

  private add(network: string): void {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address);
    const longest = family === 4 ? 32 : 128;
    const bits = prefix === undefined ? longest : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > longest) {
      const advice = 'write an address or a network such as 10.0.0.0/8';
      throw new StartupError('BAD_NETWORK', `${this.key} "${network}": ${advice}`);
    }
    this.list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
}
