import type { Cancel, Clock } from '../base/clock.js';
import { WebTransportCode } from '../http3/webtransport.js';
import type { SessionClose } from '../http3/webtransport-close.js';
import type { WebTransportObserver, WebTransportSession } from '../http3/webtransport-session.js';
import { LINGER_MS } from '../link/link.js';
import type { Link, LinkClosed } from '../link/link.js';
import { StreamLink } from '../link/stream-link.js';
import type { ByteStreamCarrier } from '../link/stream-link.js';
import type { QuicClosed } from '../quic/quic-closed.js';
import type { QuicStream, QuicStreamObserver } from '../quic/quic-stream.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { linkClosedOfHttp3 } from './h3-closed.js';

export interface WebTransportLinkOptions {
  /** Takes the session's Link once its stream is there: bind an observer to it before returning. */
  readonly accept: (link: Link) => void;
  readonly clock: Clock;
  /** No stream came in time; the session is closed. */
  readonly onIdle: () => void;
  /** The session ended, by whomever. */
  readonly onEnded: () => void;
  /** How long a session may live without its stream, ms. */
  readonly streamTimeout: number;
}

/**
 * A WebTransport session as the connection that carries a Link: frames on the client's first bidirectional
 * stream, the close code in the session's close. Begin the session with it as observer.
 */
export class WebTransportCarrier
  implements ByteStreamCarrier, WebTransportObserver, QuicStreamObserver
{
  private session: WebTransportSession | null = null;
  private link: StreamLink | null = null;
  private stopWaiting: Cancel | null;
  private told = false;

  /** @param peer where the connection leads now. */
  constructor(
    private readonly peer: { readonly remoteAddress: string },
    private readonly options: WebTransportLinkOptions,
  ) {
    this.stopWaiting = options.clock.after(options.streamTimeout, () => this.giveUp());
  }

  get remoteAddress(): string {
    return this.peer.remoteAddress;
  }

  onBegun(session: WebTransportSession): void {
    this.session = session;
  }

  onStream(stream: QuicStream): void {
    this.stopWaiting?.();
    this.stopWaiting = null;
    this.link = new StreamLink('webtransport', stream, this, this.options.clock);
    stream.bind(this);
    this.options.accept(this.link);
  }

  onReadable(): void {
    this.link?.onReadable();
  }

  onDrained(): void {
    this.link?.onDrained();
  }

  /** A stream goes with its session, whose close says why and may come a little later. */
  onAborted(code: number): void {
    const broken = () => (this.told ? undefined : this.link?.onAborted());
    if (code === WebTransportCode.SESSION_GONE) this.options.clock.after(LINGER_MS, broken);
    else broken();
  }

  /** Ends the session: what was not delivered is lost. */
  close(code: number, reason: string): void {
    const { session } = this;
    if (this.told || session === null) return;
    session.close(code, reason);
    // The peer's end of CONNECT shows that it has read the close.
    this.options.clock.after(LINGER_MS, () => session.release());
    this.tellEnd({ code, reason, by: 'local' });
  }

  onEnded(close: SessionClose): void {
    this.tellEnd({ ...close, by: 'peer' });
  }

  onGone(closed: QuicClosed): void {
    this.stopWaiting?.();
    if (this.told) return;
    this.told = true;
    this.link?.connectionClosed(linkClosedOfHttp3(closed));
  }

  /**
   * In a later turn of the event loop: a Link tells nothing from inside a call to it, and may read
   * until then what came before the end.
   */
  private tellEnd(closed: LinkClosed): void {
    if (this.told) return;
    this.told = true;
    this.stopWaiting?.();
    setImmediate(() => {
      this.session?.dropStream();
      this.link?.connectionClosed(closed);
      this.options.onEnded();
    });
  }

  private giveUp(): void {
    this.options.onIdle();
    this.close(ErrorCode.Unauthenticated, 'no stream was opened');
  }
}
