import type { Link } from '../../../link/link.js';

/** How a client reaches a gateway: QUIC in Node, something else in a browser. */
export interface Transport {
  /** For messages: `quic`. */
  readonly name: string;

  /**
   * Opens a connection, ready to carry frames; none is delivered before the Link is bound.
   * @param address as the application or a redirect named it.
   * @param signal when it fires the attempt is given up; a Link that comes later is closed.
   * @throws what kept it from coming about, with a message fit for people.
   */
  open(address: string, signal: AbortSignal): Promise<Link>;
}
