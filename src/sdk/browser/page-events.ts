import type { Platform, PlatformEvents } from './platform.js';

/** When a client should look after its connection: the network, or the page, is back. */
const WINDOW_EVENTS = ['online', 'offline', 'pageshow'] as const;

/**
 * Calls `wake` when the network came or went, or the page became visible again: hidden pages get few
 * timers and frozen ones none, so that a connection may be long gone.
 * @returns ends that.
 */
export function watchPage(platform: Platform, wake: () => void): () => void {
  const { document } = platform;
  const onVisibility = (): void => {
    if (document?.visibilityState === 'visible') wake();
  };
  document?.addEventListener('visibilitychange', onVisibility);
  const page = eventsOf(platform);
  for (const name of WINDOW_EVENTS) page?.addEventListener(name, wake);
  return () => {
    document?.removeEventListener('visibilitychange', onVisibility);
    for (const name of WINDOW_EVENTS) page?.removeEventListener(name, wake);
  };
}

/** The window or, in a worker, its global scope. */
function eventsOf(platform: Platform): PlatformEvents | null {
  const { addEventListener, removeEventListener } = platform;
  if (addEventListener === undefined || removeEventListener === undefined) return null;
  return {
    addEventListener: (type, listener) => addEventListener.call(platform, type, listener),
    removeEventListener: (type, listener) => removeEventListener.call(platform, type, listener),
  };
}
