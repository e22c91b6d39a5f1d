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
  /** Where START was accepted last: the session is there, if it is anywhere. */
  private home: string | null = null;

  /** @throws {RangeError} for an empty list. */
  constructor(private readonly addresses: readonly string[]) {
    if (addresses.length === 0) throw new RangeError('no gateway address given');
  }

  get current(): string {
    return this.redirect ?? (this.addresses[this.index] as string);
  }

  /**
   * What one attempt may try: the current address, then the others in turn. A gateway that is named
   * again and again stands alone: a near one that does nothing but redirect would win every race.
   */
  get inTurn(): readonly string[] {
    const { addresses, index, redirect } = this;
    if (redirect !== null && this.redirects > 1) return [redirect];
    const round = [...addresses.slice(index), ...addresses.slice(0, index)];
    if (redirect === null) return [...new Set(round)];
    // The one that redirected has just said that it does not serve: it comes last.
    return [...new Set([redirect, ...round.slice(1), ...round.slice(0, 1)])];
  }

  /** Whether the session is expected at this address: it was there last, or a gateway named it. */
  expects(address: string): boolean {
    return address === this.home || address === this.redirect;
  }

  /** An attempt led to this one of `inTurn`: it is the current one from now on. */
  reached(address: string): void {
    if (address === this.current) return;
    this.redirect = null;
    this.index = this.addresses.indexOf(address);
  }

  /** The current address works. */
  succeeded(): void {
    this.redirects = 0;
    this.home = this.current;
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
