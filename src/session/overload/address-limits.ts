import { BucketLimit, TokenBucket } from '../../base/token-bucket.js';

/** Addresses remembered without an open connection: some 15 MB. Beyond, the longest quiet is forgotten. */
export const MAX_QUIET_ADDRESSES = 65_536;

/** Quiet addresses looked at per new connection, so that forgetting keeps up with arriving. */
const FORGET_PER_ARRIVAL = 2;

interface Address {
  connections: number;
  readonly arrivals: TokenBucket | null;
}

export interface AddressLimitOptions {
  /** Open connections of one address; 0: no limit. */
  readonly addressConnections: number;
  /** New connections per second of one address, as many at once; 0: no limit. */
  readonly addressConnectionRate: number;
}

/** Why a connection is not let in, and after how many ms it is worth another try. */
export interface AddressRefusal {
  readonly limit: 'address_connections' | 'address_rate';
  readonly retryAfter: number;
}

/** An address at its limit of open connections must close one first; when is not known, ms. */
const RETRY_WHEN_ONE_CLOSES_MS = 5_000;

const AT_LIMIT: AddressRefusal = {
  limit: 'address_connections',
  retryAfter: RETRY_WHEN_ONE_CLOSES_MS,
};

/**
 * Limits the connections of each address. The table is bounded: addresses with open connections by
 * max_connections, quiet ones by MAX_QUIET_ADDRESSES.
 */
export class AddressLimits {
  private readonly open = new Map<string, Address>();
  /** Without a connection, in the order in which they became quiet. */
  private readonly quiet = new Map<string, Address>();
  private readonly rate: BucketLimit | null;

  constructor(private readonly options: AddressLimitOptions) {
    const { addressConnectionRate: rate } = options;
    this.rate = rate > 0 ? new BucketLimit(rate, rate) : null;
  }

  /** Addresses in the table. */
  get size(): number {
    return this.open.size + this.quiet.size;
  }

  /**
   * Lets a connection in, which `leave` must be called for, or says why not.
   * @param surplus how many more than the limit may be open, which `surplusOf` then tells of.
   */
  enter(key: string, now: number, surplus = 0): AddressRefusal | null {
    this.forgetQuiet(now);
    const address = this.open.get(key) ?? this.quiet.get(key) ?? this.newAddress();
    const { addressConnections: most } = this.options;
    if (most > 0 && address.connections >= most + surplus) return AT_LIMIT;
    const wait = address.arrivals?.take(now) ?? 0;
    if (wait > 0) return { limit: 'address_rate', retryAfter: wait };
    address.connections++;
    this.quiet.delete(key);
    this.open.set(key, address);
    return null;
  }

  /** Why the newest connection of an address is one too many, or null. */
  surplusOf(key: string): AddressRefusal | null {
    const { addressConnections: most } = this.options;
    return most > 0 && (this.open.get(key)?.connections ?? 0) > most ? AT_LIMIT : null;
  }

  leave(key: string): void {
    const address = this.open.get(key);
    if (address === undefined || --address.connections > 0) return;
    this.open.delete(key);
    if (address.arrivals === null) return;
    this.quiet.set(key, address);
    if (this.quiet.size > MAX_QUIET_ADDRESSES) this.forgetOldest();
  }

  private newAddress(): Address {
    return { connections: 0, arrivals: this.rate && new TokenBucket(this.rate) };
  }

  private forgetQuiet(now: number): void {
    let looks = FORGET_PER_ARRIVAL;
    for (const [key, { arrivals }] of this.quiet) {
      if (looks-- === 0 || arrivals?.isFull(now) === false) return;
      this.quiet.delete(key);
    }
  }

  private forgetOldest(): void {
    for (const key of this.quiet.keys()) {
      this.quiet.delete(key);
      return;
    }
  }
}
