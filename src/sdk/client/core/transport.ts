import type { Link } from '../../../link/link.js';

/** What a transport knows of a connection below its frames, which a large frame under way does not hold up. */
export interface PathProbe {
  /** Asks the other side for a sign of life; without it a heartbeat does. */
  ping?(): void;
  /** A number that grows with everything that arrives, parts of frames too. */
  arrivals?(): number;
  /** Where only whole frames show: silence shorter than this proves nothing, ms. */
  readonly silenceMs?: number;
}

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

  /** The probe of a Link that this transport has opened; without one heartbeats serve as probes. */
  probe?(link: Link): PathProbe | undefined;
}
