import type { Clock } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import type { Link } from '../../../link/link.js';
import { ErrorCode } from '../../../wire/error-catalogue.js';
import type { PathProbe, Transport } from './transport.js';

/** How long the first transport may take before the second is tried beside it, ms. */
const HEAD_START_MS = 3_000;

/**
 * How long the second transport is tried first after the first had to give way, ms: the network
 * that blocked it is most likely still there, but a laptop moves on.
 */
const REMEMBER_MS = 10 * 60_000;

export interface FallbackOptions {
  readonly clock: Clock;
  readonly headStartMs?: number;
  readonly rememberMs?: number;
}

/**
 * Two ways to a gateway: the preferred one, and another for networks that do not let it through. The
 * other is tried when the first has failed or taken too long; who is ready first wins. What won is
 * remembered for an address and goes first next time.
 */
export class FallbackTransport implements Transport {
  readonly name: string;
  /** Until when (clock ms) the other goes first, by address. */
  private readonly otherFirst = new Map<string, number>();

  constructor(
    private readonly preferred: Transport,
    private readonly other: Transport,
    private readonly options: FallbackOptions,
  ) {
    this.name = `${preferred.name} or ${other.name}`;
  }

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const { clock, rememberMs = REMEMBER_MS } = this.options;
    const swapped = (this.otherFirst.get(address) ?? -Infinity) > clock.now();
    const [first, second] = swapped ? [this.other, this.preferred] : [this.preferred, this.other];
    const { link, by } = await this.race(first, second, address, signal);
    if (by === this.preferred) this.otherFirst.delete(address);
    else if (!swapped) this.otherFirst.set(address, clock.now() + rememberMs);
    return link;
  }

  probe(link: Link): PathProbe | undefined {
    return this.preferred.probe?.(link) ?? this.other.probe?.(link);
  }

  private race(
    first: Transport,
    second: Transport,
    address: string,
    signal: AbortSignal,
  ): Promise<{ link: Link; by: Transport }> {
    return new Promise((resolve, reject) => {
      const attempts = [new AbortController(), new AbortController()] as const;
      const failures: string[] = [];
      let settled = false;
      let secondStarted = false;
      const settle = (): void => {
        settled = true;
        cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        settle();
        for (const attempt of attempts) attempt.abort(signal.reason);
        reject(signal.reason as Error);
      };
      const tryWith = (
        transport: Transport,
        own: AbortController,
        rival: AbortController,
      ): void => {
        transport.open(address, own.signal).then(
          (link) => {
            if (settled) {
              link.close(ErrorCode.None, 'another transport was faster');
              return;
            }
            settle();
            rival.abort(new Error('another transport was faster'));
            resolve({ link, by: transport });
          },
          (error: unknown) => {
            if (settled) return;
            failures.push(`${transport.name}: ${messageOf(error)}`);
            if (failures.length === 2) {
              settle();
              reject(new Error(failures.join('; '), { cause: error }));
            } else {
              startSecond();
            }
          },
        );
      };
      const startSecond = (): void => {
        if (settled || secondStarted) return;
        secondStarted = true;
        tryWith(second, attempts[1], attempts[0]);
      };
      const { clock, headStartMs = HEAD_START_MS } = this.options;
      const cancel = clock.after(headStartMs, startSecond);
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      tryWith(first, attempts[0], attempts[1]);
    });
  }
}
