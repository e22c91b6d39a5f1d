import type { Clock } from '../base/clock.js';
import { LINGER_MS } from '../link/link.js';
import type { LinkClosed } from '../link/link.js';
import { StreamLink } from '../link/stream-link.js';
import type { ByteStream, ByteStreamCarrier, ByteStreamObserver } from '../link/stream-link.js';
import type { BodyObserver, MessageStream } from '../http3/message-stream.js';
import { Http3Code } from '../http3/http3-fault.js';
import type { QuicClosed } from '../quic/quic-closed.js';
import type { ErrorCode } from '../wire/error-catalogue.js';
import { closeTrailers, closeOfTrailers } from './h3-close-trailers.js';
import { linkClosedOfHttp3 } from './h3-closed.js';

/** The bodies of a request and its answer as the byte stream of a Link: DATA frames carry its frames. */
export class Http3LinkStream implements ByteStream, ByteStreamCarrier, BodyObserver {
  readonly link: StreamLink;
  private observer: ByteStreamObserver | null = null;
  private ended = false;
  /** How it ends, once nothing waits any more; null while nobody has ended it. */
  private leaving: LinkClosed | null = null;
  private told = false;

  /**
   * @param isServer a client that is told to send no more still reads the answer to its end.
   * @param peer where the connection leads now.
   */
  constructor(
    private readonly message: MessageStream,
    private readonly peer: { readonly remoteAddress: string },
    private readonly clock: Clock,
    private readonly isServer: boolean,
  ) {
    message.bind(this);
    this.link = new StreamLink('http3', this, this, clock);
  }

  get remoteAddress(): string {
    return this.peer.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.message.bufferedBytes;
  }

  get readEnded(): boolean {
    return this.message.readEnded;
  }

  bind(observer: ByteStreamObserver): void {
    this.observer = observer;
  }

  read(): Uint8Array | null {
    return this.message.read();
  }

  write(chunk: Uint8Array): void {
    this.message.write(chunk);
  }

  end(code: ErrorCode, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.message.sendFields(closeTrailers(code, reason), true);
  }

  pause(): void {
    this.message.pause();
  }

  resume(): void {
    this.message.resume();
  }

  wakeBelow(bytes: number): void {
    this.message.wakeBelow(bytes);
  }

  /**
   * Ends this request; others on the connection go on. What waits cannot be thrown away within a DATA
   * frame, so that a peer which does not take it has LINGER_MS until the stream is broken off.
   */
  close(code: ErrorCode, reason: string): void {
    this.end(code, reason);
    this.message.stopReading(Http3Code.NO_ERROR);
    this.leave({ code, reason, by: 'local' });
  }

  /** Breaks the stream off, so that the client cannot be told a code either. */
  discard(code: ErrorCode, reason: string): void {
    this.ended = true;
    this.message.abort(Http3Code.REQUEST_CANCELLED);
    this.tellEnd({ code, reason, by: 'local' });
  }

  onReadable(): void {
    if (this.told) return;
    this.observer?.onReadable();
    if (!this.message.readEnded || !this.ended) return;
    this.leave({ ...closeOfTrailers(this.message.trailers), by: 'peer' });
  }

  onDrained(): void {
    this.observer?.onDrained();
    this.tellIfEmpty();
  }

  onAborted(code: number): void {
    if (!this.told) this.observer?.onAborted(code);
    this.message.abort(Http3Code.REQUEST_CANCELLED);
    this.tellIfEmpty();
  }

  onStopped(code: number): void {
    this.ended = true;
    if (this.isServer) this.onAborted(code);
    else this.tellIfEmpty();
  }

  onGone(closed: QuicClosed): void {
    if (this.told) return;
    this.told = true;
    this.link.connectionClosed(this.leaving ?? linkClosedOfHttp3(closed));
  }

  /**
   * Tells the end once nothing waits, or after LINGER_MS, when what waits is thrown away. Until then the Link is there
   * for its owner to discard.
   */
  private leave(closed: LinkClosed): void {
    if (this.leaving !== null) return;
    this.leaving = closed;
    this.message.wakeBelow(0);
    this.tellIfEmpty();
    if (!this.message.wantsToSend) return;
    this.clock.after(LINGER_MS, () => {
      if (this.message.wantsToSend) this.message.reset(Http3Code.REQUEST_CANCELLED);
      this.tellEnd(closed);
    });
  }

  private tellIfEmpty(): void {
    if (this.leaving !== null && this.message.bufferedBytes === 0) this.tellEnd(this.leaving);
  }

  /** In a later turn of the event loop: a Link tells nothing from inside a call to it. */
  private tellEnd(closed: LinkClosed): void {
    if (this.told) return;
    this.told = true;
    setImmediate(() => this.link.connectionClosed(closed));
  }
}
