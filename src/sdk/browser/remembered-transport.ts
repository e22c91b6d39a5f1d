import { storageOf } from './platform.js';
import type { Platform, PlatformStorage } from './platform.js';
import type { FallbackMemory } from '../client/core/fallback-transport.js';

/**
 * Which gateways were reached by the second transport only, in localStorage: the next page of this
 * origin, in whatever tab, need not find it out again. Where the user forbids it nothing is remembered.
 */
export class RememberedTransport implements FallbackMemory {
  private readonly storage: PlatformStorage | undefined;

  /** @param now ms since 1970. */
  constructor(
    platform: Platform,
    private readonly now: () => number,
  ) {
    this.storage = storageOf(platform, 'localStorage');
  }

  otherFirst(address: string): boolean {
    const text = this.guarded(() => this.storage?.getItem(keyOf(address))) ?? '';
    const [since = NaN, until = NaN] = text.split(' ').map(Number);
    const now = this.now();
    // A clock that was put back would make it last for as long as that.
    return since <= now && now < until;
  }

  remember(address: string, forMs: number): void {
    const now = this.now();
    this.guarded(() => this.storage?.setItem(keyOf(address), `${now} ${now + forMs}`));
  }

  forget(address: string): void {
    this.guarded(() => this.storage?.removeItem(keyOf(address)));
  }

  /** Storage that is full or forbidden throws; a preference is not worth an error. */
  private guarded<T>(use: () => T): T | undefined {
    try {
      return use();
    } catch {
      return undefined;
    }
  }
}

function keyOf(address: string): string {
  return `gatesvr:websocket:${address}`;
}
