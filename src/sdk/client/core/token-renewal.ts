import type { Cancel, Clock } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import type { SendResult } from '../../../link/link.js';
import { Backoff } from './backoff.js';
import type { BackoffOptions } from './backoff.js';
import { ConnectionError } from './errors.js';
import type { TokenSource } from './options.js';

export interface RenewalOptions extends BackoffOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly token: TokenSource;
}

/**
 * Renews the token of a connection by START (docs/SESSIONS.md, "Tokens"). What fails, be it the
 * source, the sending or the gateway, is tried again with backoff for as long as the connection
 * lasts: how long the gateway's grace time is, it does not say.
 */
export class TokenRenewal {
  private readonly backoff: Backoff;
  private underWay = false;
  private told = false;
  /** An attempt of another round has nothing to say any more. */
  private round = 0;
  private cancel: Cancel | null = null;

  /**
   * @param send sends START with a token on the connection that there is; `answered` follows.
   * @param report hears of a source that has no token, once for each renewal.
   */
  constructor(
    private readonly options: RenewalOptions,
    private readonly send: (token: string) => SendResult,
    private readonly report: (error: ConnectionError) => void,
  ) {
    this.backoff = new Backoff(options, options.random);
  }

  /** The token has run out. Without effect while a renewal is under way. */
  begin(): void {
    if (this.underWay) return;
    this.underWay = true;
    void this.attempt();
  }

  /** The gateway answered a START of ours on a connection that had started. */
  answered(success: boolean): void {
    if (success) this.end();
    else if (this.underWay) this.again();
  }

  /** The token is new, or the connection gone: the START of the next one asks for a token itself. */
  end(): void {
    this.round++;
    this.underWay = this.told = false;
    this.cancel?.();
    this.cancel = null;
    this.backoff.reset();
  }

  private async attempt(): Promise<void> {
    const { round } = this;
    try {
      const token = await this.options.token();
      if (round === this.round && this.send(token) !== 'ok') this.again();
    } catch (error) {
      if (round !== this.round) return;
      this.again();
      if (this.told) return;
      this.told = true;
      this.report(new ConnectionError(0, `no new token: ${messageOf(error)}`));
    }
  }

  private again(): void {
    this.cancel?.();
    this.cancel = this.options.clock.after(this.backoff.next(), () => void this.attempt());
  }
}
