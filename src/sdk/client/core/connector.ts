import type { Cancel } from '../../../base/clock.js';
import type { Link } from '../../../link/link.js';
import { ErrorCode } from '../../../wire/error-catalogue.js';
import { AddressList } from './address-list.js';
import { Backoff } from './backoff.js';
import { ConnectionError } from './errors.js';
import type { ResolvedOptions } from './options.js';

/** A connection that lived this long was a good one: the next loss starts the backoff anew. */
const STABLE_AFTER_MS = 5_000;

/** What a connector tells the client that owns it. */
export interface ConnectorOwner {
  onLink(link: Link, address: string, token: string): void;
  /** An attempt failed; the owner decides whether to go on. */
  onAttemptFailed(error: unknown): void;
  onRetry(attempt: number, delay: number, address: string): void;
  onConnecting(address: string, attempt: number): void;
}

/** Gets Links: one attempt at a time, over the known addresses, with backoff between attempts. */
export class Connector {
  private readonly addresses: AddressList;
  private readonly backoff: Backoff;
  /** Attempts planned since a connection held. */
  private planned = 0;
  private attempt: AbortController | null = null;
  private cancelRetry: Cancel | null = null;
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
    this.connectIn(wait + this.backoff.next());
  }

  /** Tries after `delay` ms. */
  connectIn(delay: number): void {
    this.stop();
    this.owner.onRetry(++this.planned, delay, this.addresses.current);
    this.cancelRetry = this.options.clock.after(delay, () => void this.open());
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
    this.cancelStable?.();
    const attempt = this.attempt;
    this.attempt = null;
    attempt?.abort(new ConnectionError(0, 'given up'));
  }

  private async open(): Promise<void> {
    const address = this.addresses.current;
    const attempt = (this.attempt = new AbortController());
    this.owner.onConnecting(address, this.planned);
    // A listener may have closed the client.
    if (this.attempt !== attempt) return;
    let link: Link | null = null;
    try {
      const [opened, token] = await this.openWithin(address, attempt);
      link = opened;
      if (this.attempt !== attempt) {
        closeLate(link);
        return;
      }
      this.attempt = null;
      this.owner.onLink(link, address, token);
    } catch (error) {
      if (link !== null) closeLate(link);
      else if (this.attempt !== attempt) return;
      this.attempt = null;
      this.addresses.failed();
      this.owner.onAttemptFailed(error);
    }
  }

  private async openWithin(address: string, attempt: AbortController): Promise<[Link, string]> {
    const { clock, openTimeoutMs, token, transport } = this.options;
    const cancel = clock.after(openTimeoutMs, () => {
      const message = `no ${transport.name} connection to ${address} within ${openTimeoutMs} ms`;
      attempt.abort(new ConnectionError(0, `${message}; is a gateway running there?`));
    });
    const { signal } = attempt;
    try {
      const text = await orAborted(Promise.resolve(token()), signal, () => undefined);
      const link = await orAborted(transport.open(address, signal), signal, closeLate);
      return [link, text];
    } finally {
      cancel();
    }
  }
}

function closeLate(link: Link): void {
  link.close(ErrorCode.None, 'connected too late');
}

/** As `promise`, but rejects as soon as the signal fires; what arrives later is handed to `late`. */
function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: (value: T) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener('abort', onAbort);
        if (signal.aborted) late(value);
        else resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort);
        reject(error as Error);
      },
    );
  });
}
