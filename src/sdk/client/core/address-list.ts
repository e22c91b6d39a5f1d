/** Redirects followed in a row before the backoff applies: two gateways that name each other must not spin. */
const MAX_REDIRECTS = 3;

/**
 * Where to connect: the addresses the application gave, in turn, and those that gateways redirect
 * to (421). A working address stays current, so that a resume returns to where the session is.
 */
export class AddressList {
  private index = 0;
  private redirect: string | null = null;
  private redirects = 0;

  /** @throws {RangeError} for an empty list. */
  constructor(private readonly addresses: readonly string[]) {
    if (addresses.length === 0) throw new RangeError('no gateway address given');
  }

  get current(): string {
    return this.redirect ?? (this.addresses[this.index] as string);
  }

  /** The current address works. */
  succeeded(): void {
    this.redirects = 0;
  }

  /** The current address failed: the next one is tried, and not the one that redirected to it. */
  failed(): void {
    this.redirect = null;
    this.index = (this.index + 1) % this.addresses.length;
  }

  /** A gateway named another one. Returns whether to go there at once; false: only after the backoff. */
  redirected(address: string): boolean {
    this.redirect = address;
    return ++this.redirects <= MAX_REDIRECTS;
  }
}
