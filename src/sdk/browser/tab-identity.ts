import type { Platform, PlatformLocks } from './platform.js';

const LOCK = 'gatesvr:tab';

/**
 * How long a page waits for a former page to let go of an identity, ms: after a reload that may still
 * be on its way out. A duplicated tab waits so long in vain.
 */
const HANDOVER_MS = 500;

/** What a page proved to be its own, or is about to: by its locks, for a page has one such object. */
const pages = new WeakMap<PlatformLocks, PageIdentities>();

/**
 * Whose what is stored is. sessionStorage alone does not tell: a duplicated tab begins with a copy of
 * it, and the frames of a tab share it. So whoever stores writes an identity beside it, and holds a lock
 * of the browser (Web Locks) on that as long as its page lives: a page that gets the lock may go on
 * with what is stored, for nobody else is there who does.
 */
class PageIdentities {
  private readonly claims = new Map<string, Promise<boolean>>();
  private fresh: Promise<string> | null = null;

  constructor(private readonly locks: PlatformLocks) {}

  claim(identity: string): Promise<boolean> {
    let claim = this.claims.get(identity);
    if (claim === undefined) {
      claim = locked(this.locks, identity).catch(() => false);
      this.claims.set(identity, claim);
      void claim.then((held) => held || this.claims.delete(identity));
    }
    return claim;
  }

  own(): Promise<string> {
    this.fresh ??= this.establish();
    return this.fresh;
  }

  private async establish(): Promise<string> {
    try {
      const identity = crypto.randomUUID();
      return (await this.claim(identity)) ? identity : '';
    } catch {
      return '';
    }
  }
}

/**
 * Whether this page has an identity that it found stored, or gets it: no other page has it, or that one
 * left within half a second. It is this page's from then on. Never rejects.
 */
export async function claimIdentity(platform: Platform, identity: string): Promise<boolean> {
  return (await identitiesOf(platform)?.claim(identity)) ?? false;
}

/**
 * An identity that no other page has, one for all clients of this page. Never rejects.
 * @returns empty where there are no such locks, as on pages that are not secure.
 */
export async function ownIdentity(platform: Platform): Promise<string> {
  return (await identitiesOf(platform)?.own()) ?? '';
}

function identitiesOf({ navigator }: Platform): PageIdentities | undefined {
  const locks = navigator?.locks;
  if (locks === undefined) return undefined;
  let identities = pages.get(locks);
  if (identities === undefined) pages.set(locks, (identities = new PageIdentities(locks)));
  return identities;
}

/** Takes the lock of an identity until this page is gone. @returns false where another page has it. */
function locked(locks: PlatformLocks, identity: string): Promise<boolean> {
  return new Promise((resolve) => {
    const holding = (): Promise<never> => {
      resolve(true);
      return new Promise<never>(() => undefined);
    };
    const signal = AbortSignal.timeout(HANDOVER_MS);
    locks.request(`${LOCK}:${identity}`, { signal }, holding).catch(() => resolve(false));
  });
}
