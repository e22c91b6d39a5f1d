import type { ResumeState, ResumeStore } from '../client/core/resume-store.js';
import { storageOf } from './platform.js';
import type { Platform, PlatformStorage } from './platform.js';
import { claimIdentity, ownIdentity } from './tab-identity.js';

interface Stored {
  /** Of the page that stored it (`tab-identity.ts`). */
  readonly tab?: unknown;
  readonly state?: unknown;
}

/**
 * Keeps a client's session in sessionStorage, so that a reload of the page goes on with it. A duplicated
 * tab, which gets a copy of that storage, does not: it would claim frames that the other tab took, and
 * take answers that are the other's. It begins a session of its own. Where pages cannot be told apart
 * (`ownIdentity`) nothing is kept.
 */
export class SessionStorageStore implements ResumeStore {
  private readonly key: string;
  private readonly storage: PlatformStorage | undefined;
  private tab = '';

  /**
   * Each client of a page has a place of its own.
   * @param openid whose session.
   * @param addresses of the gateways that may have it, in any order.
   */
  constructor(
    private readonly platform: Platform,
    openid: string,
    addresses: readonly string[],
  ) {
    this.key = `gatesvr:session:${[...addresses].sort().join()} ${openid}`;
    this.storage = storageOf(platform, 'sessionStorage');
  }

  /** @throws {Error} where what is stored is no JSON. */
  async load(): Promise<unknown> {
    this.tab = await ownIdentity(this.platform);
    const tab = this.stored()?.tab;
    if (typeof tab !== 'string' || !(await claimIdentity(this.platform, tab))) return null;
    // The former page may have gone on while it was waited for, or another frame begun anew.
    const stored = this.stored();
    if (stored?.tab !== tab) return null;
    this.tab = tab;
    return stored.state ?? null;
  }

  /** @throws {Error} where the browser has no room, or the user forbids it. */
  save(state: ResumeState | null): void {
    if (this.tab === '') return;
    if (state === null) this.storage?.removeItem(this.key);
    else this.storage?.setItem(this.key, JSON.stringify({ tab: this.tab, state }));
  }

  private stored(): Stored | null {
    return JSON.parse(this.storage?.getItem(this.key) ?? 'null') as Stored | null;
  }
}
