import type { Cancel } from '../../../base/clock.js';
import type { Link } from '../../../link/link.js';
import { ErrorCode } from '../../../wire/error-catalogue.js';
import { AddressList } from './address-list.js';
import { Backoff } from './backoff.js';
import { ConnectionError } from './errors.js';
import type { ResolvedOptions } from './options.js';
import { StaggeredRace } from './staggered-race.js';
import type { Winner } from './staggered-race.js';

/** A connection that lived this long was a good one: the next loss starts the backoff anew. */
const STABLE_AFTER_MS = 5_000;

/**
 * How many times as long the gateway that is expected to have the session may be silent: another
 * gateway may not have it, and one lost packet delays a handshake by a second (RFC 9002 section 6.2.2).
 */
const EXPECTED_PATIENCE = 4;

/** What a connector tells the client that owns it. */
export interface ConnectorOwner {
  onLink(link: Link, address: string, token: string): void;
  /** An attempt failed; the owner decides whether to go on. */
  onAttemptFailed(error: unknown): void;
  onRetry(attempt: number, delay: number, address: string): void;
  onConnecting(address: string, attempt: number): void;
}

/**
 * Gets Links: one attempt at a time, with backoff between attempts. An attempt begins with the
 * current address and, while that is silent, goes on with the others beside it.
 */
export class Connector {
  private readonly addresses: AddressList;
  private readonly backoff: Backoff;
  /** Attempts planned since a connection held. */
  private planned = 0;
  private attempt: AbortController | null = null;
  private cancelRetry: Cancel | null = null;
  /** The gateway asked not to come back sooner (clock ms). */
  private notBefore = 0;
  private cancelStable: Cancel | null = null;

  constructor(
    private readonly options: ResolvedOptions,
    private readonly owner: ConnectorOwner,
  ) {
    this.addresses = new AddressList(options.addresses);
    this.backoff = new Backoff(options, options.random);
  }

  /** Tries at once. */
  connect(): void {
    this.stop();
    void this.open();
  }

  /** Tries after the next delay of the backoff. @param wait ms that the gateway asks for on top. */
  retry(wait = 0): void {
    this.connectIn(wait + this.backoff.next(), wait);
  }

  /** Tries after `delay` ms. @param asked how much of it the gateway asked for, ms. */
  connectIn(delay: number, asked = delay): void {
    this.stop();
    const { clock } = this.options;
    this.notBefore = clock.now() + asked;
    this.owner.onRetry(++this.planned, delay, this.addresses.current);
    this.cancelRetry = clock.after(delay, () => {
      this.cancelRetry = null;
      void this.open();
    });
  }

  /** What kept attempts from succeeding may be over: waits no longer than the gateway asked for. */
  wake(): void {
    if (this.cancelRetry === null) return;
    this.backoff.reset();
    this.connectIn(Math.max(0, this.notBefore - this.options.clock.now()));
  }

  /** Goes where a gateway pointed: at once, but not for ever. */
  redirect(address: string): void {
    if (this.addresses.redirected(address)) this.connect();
    else this.retry();
  }

  /** The address of the last Link refused or failed to serve: another one is next. */
  moveOn(): void {
    this.addresses.failed();
  }

  /** START was accepted over the last Link. */
  succeeded(): void {
    this.addresses.succeeded();
    this.cancelStable = this.options.clock.after(STABLE_AFTER_MS, () => {
      this.backoff.reset();
      this.planned = 0;
    });
  }

  /** Gives up the attempt under way, and the timers; connect and retry start again. */
  stop(): void {
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.cancelStable?.();
    const attempt = this.attempt;
    this.attempt = null;
    attempt?.abort(new ConnectionError(0, 'given up'));
  }

  private async open(): Promise<void> {
    const addresses = this.addresses.inTurn;
    const attempt = (this.attempt = new AbortController());
    this.owner.onConnecting(this.addresses.current, this.planned);
    // A listener may have closed the client.
    if (this.attempt !== attempt) return;
    let link: Link | null = null;
    try {
      const [winner, token] = await this.openWithin(addresses, attempt);
      link = winner.link;
      if (this.attempt !== attempt) {
        closeLate(link);
        return;
      }
      this.attempt = null;
      this.addresses.reached(addresses[winner.index] as string);
      this.owner.onLink(link, this.addresses.current, token);
    } catch (error) {
      if (link !== null) closeLate(link);
      else if (this.attempt !== attempt) return;
      this.attempt = null;
      this.addresses.failed();
      this.owner.onAttemptFailed(error);
    }
  }

  private async openWithin(
    addresses: readonly string[],
    attempt: AbortController,
  ): Promise<[Winner, string]> {
    const { clock, openTimeoutMs, token, transport } = this.options;
    const cancel = clock.after(openTimeoutMs, () => {
      const where = `${transport.name} connection to ${addresses.join(' or ')}`;
      const message = `no ${where} within ${openTimeoutMs} ms; is a gateway running there?`;
      attempt.abort(new ConnectionError(0, message));
    });
    try {
      const text = await orAborted(Promise.resolve(token()), attempt.signal);
      return [await this.race(addresses, attempt.signal), text];
    } finally {
      cancel();
    }
  }

  /** Only connections are raced: START goes out once, over the one that was ready first. */
  private race(addresses: readonly string[], signal: AbortSignal): Promise<Winner> {
    const { clock, nextAddressAfterMs, transport } = this.options;
    const contenders = addresses.map((address) => ({
      name: address,
      open: async (own: AbortSignal) => transport.open(address, own),
    }));
    const headStart = (index: number): number =>
      this.addresses.expects(addresses[index] as string)
        ? EXPECTED_PATIENCE * nextAddressAfterMs
        : nextAddressAfterMs;
    // A failure that shows at once is for the backoff: all clients of a gateway that dies meet it.
    const options = { clock, headStart, onFailure: 'wait' } as const;
    return new StaggeredRace(contenders, options, signal).run();
  }
}

function closeLate(link: Link): void {
  link.close(ErrorCode.None, 'connected too late');
}

/** As `promise`, but rejects as soon as the signal fires. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
