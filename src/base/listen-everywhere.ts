import { messageOf } from './errors.js';

/** What binding `::` ends with where there is no IPv6, or sockets of it are forbidden. */
const NO_IPV6 = /\b(EAFNOSUPPORT|EADDRNOTAVAIL)\b/;

/**
 * Listens on every interface, like Go's `:port`: on `::`, which takes IPv4 too, or on `0.0.0.0` on a machine, or in a
 * sandbox, without IPv6.
 * @param bind listens on one address; its errors name the system's code in their message.
 * @throws what `bind` throws, of the last address that was tried.
 */
export async function listenEverywhere<Bound>(
  bind: (host: string) => Promise<Bound>,
): Promise<Bound> {
  try {
    return await bind('::');
  } catch (error) {
    if (!NO_IPV6.test(messageOf(error))) throw error;
    return bind('0.0.0.0');
  }
}
