import { storageOf } from './platform.js';
import type { Platform, PlatformLocks } from './platform.js';

const KEY = 'gatesvr:tab';

/**
 * How long a page waits for the tab's former page to let go of the identity, ms: after a reload that
 * may still be on its way out. A duplicated tab waits so long in vain.
 */
const HANDOVER_MS = 500;

/** One per page, whatever number of clients it has: by its locks, for a page has one such object. */
const identities = new WeakMap<PlatformLocks, Promise<string>>();

/**
 * Which tab this page is in, the same after a reload. A duplicated tab begins with a copy of the
 * original's sessionStorage, identity and all, so that the identity alone proves nothing: each page
 * holds a lock of the browser (Web Locks) on it as long as it lives. A copy finds the lock taken and
 * becomes somebody else. Never rejects.
 * @returns empty where there are no such locks, as on pages that are not secure.
 */
export function tabIdentity(platform: Platform): Promise<string> {
  const locks = platform.navigator?.locks;
  if (locks === undefined) return Promise.resolve('');
  let identity = identities.get(locks);
  if (identity === undefined) identities.set(locks, (identity = establish(platform, locks)));
  return identity;
}

async function establish(platform: Platform, locks: PlatformLocks): Promise<string> {
  try {
    const storage = storageOf(platform, 'sessionStorage');
    const former = storage?.getItem(KEY) ?? '';
    if (former !== '' && (await locked(locks, former))) return former;
    const fresh = crypto.randomUUID();
    if (!(await locked(locks, fresh))) return '';
    storage?.setItem(KEY, fresh);
    return fresh;
  } catch {
    return '';
  }
}

/** Takes the lock of an identity until this page is gone. @returns false where another page has it. */
function locked(locks: PlatformLocks, identity: string): Promise<boolean> {
  return new Promise((resolve) => {
    const holding = (): Promise<never> => {
      resolve(true);
      return new Promise<never>(() => undefined);
    };
    const signal = AbortSignal.timeout(HANDOVER_MS);
    locks.request(`${KEY}:${identity}`, { signal }, holding).catch(() => resolve(false));
  });
}
