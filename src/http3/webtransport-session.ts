import type { QuicClosed } from '../quic/quic-closed.js';
import type { QuicStream } from '../quic/quic-stream.js';
import { CapsuleReader, CapsuleType, encodeCapsule } from './capsule-reader.js';
import { Http3Code, Http3Fault, streamFault } from './http3-fault.js';
import { MAX_CAPSULE_BYTES } from './limits.js';
import type { BodyObserver, MessageStream } from './message-stream.js';
import { WebTransportCode } from './webtransport.js';
import { MAX_CLOSE_BYTES, decodeSessionClose, encodeSessionClose } from './webtransport-close.js';
import type { SessionClose } from './webtransport-close.js';

/** What a session tells its owner, always from within a turn of its connection. */
export interface WebTransportObserver {
  /** The first call: the session to speak to. */
  onBegun(session: WebTransportSession): void;
  /** The client's first bidirectional stream, behind its header; at most once. Bind an observer to it. */
  onStream(stream: QuicStream): void;
  /** The peer ended the session. Bytes of its stream may still be read until the turn is over. */
  onEnded(close: SessionClose): void;
  /** The whole connection is gone. */
  onGone(closed: QuicClosed): void;
}

const BROKEN_OFF: SessionClose = { code: 0, reason: 'the session was broken off' };
const BEHIND_CLOSE = 'bytes behind the close of a session';
const LIMITS = new Map<number, number>([[CapsuleType.CLOSE_WEBTRANSPORT_SESSION, MAX_CLOSE_BYTES]]);

/**
 * One WebTransport session: the CONNECT stream that it lives as long as, and the one stream that it
 * carries. Either side uses it.
 */
export class WebTransportSession implements BodyObserver {
  private readonly capsules = new CapsuleReader(LIMITS);
  private capsuleBytes = 0;
  private stream: QuicStream | null = null;
  /** Ours or the peer's close was said; nothing but the end of the CONNECT stream may follow. */
  private ended = false;
  private peerClosed = false;
  private draining = false;

  /** @param message of the CONNECT; its answer was sent, or read. */
  constructor(
    private readonly message: MessageStream,
    private readonly observer: WebTransportObserver,
  ) {
    message.allowDataOnly();
    message.bind(this);
    observer.onBegun(this);
  }

  /** The id of the CONNECT stream, which streams of the session name. */
  get id(): number {
    return this.message.id;
  }

  /** Whether it is open and has no stream yet. */
  get wantsStream(): boolean {
    return !this.ended && this.stream === null;
  }

  /** Whether it was ended by either side. */
  get over(): boolean {
    return this.ended;
  }

  /** Takes the session's stream. */
  attach(stream: QuicStream): void {
    this.stream = stream;
    this.observer.onStream(stream);
  }

  /** Asks the peer's application to end the session by itself. Idempotent. */
  drain(): void {
    if (this.ended || this.draining) return;
    this.draining = true;
    const nothing = Buffer.alloc(0);
    this.message.write(encodeCapsule(CapsuleType.DRAIN_WEBTRANSPORT_SESSION, nothing));
  }

  /** Ends the session and its stream at once; the observer is not told. Idempotent. */
  close(code: number, reason: string): void {
    if (this.ended) return;
    this.message.write(encodeSessionClose(code, reason));
    this.finish();
  }

  /** Gives up waiting for the peer's end of the CONNECT stream. */
  release(): void {
    this.message.stopReading(Http3Code.NO_ERROR);
    if (this.message.wantsToSend) this.message.reset(Http3Code.NO_ERROR);
  }

  /** Breaks the stream off, once the observer had its chance to read it. */
  dropStream(): void {
    this.stream?.reset(WebTransportCode.SESSION_GONE);
    this.stream?.stopReading(WebTransportCode.SESSION_GONE);
  }

  onReadable(): void {
    const { message } = this;
    for (let bytes = message.read(); bytes !== null; bytes = message.read()) this.take(bytes);
    if (!message.readEnded) return;
    if (this.capsules.midFrame) this.fail('MESSAGE_ERROR', 'a capsule is cut short');
    else this.endedByPeer({ code: 0, reason: '' });
  }

  onDrained(): void {
    // Capsules are few and small: nothing waits for room.
  }

  onAborted(): void {
    this.message.abort(Http3Code.REQUEST_CANCELLED);
    this.endedByPeer(BROKEN_OFF);
  }

  onStopped(): void {
    this.onAborted();
  }

  onGone(closed: QuicClosed): void {
    this.ended = true;
    this.observer.onGone(closed);
  }

  private take(bytes: Uint8Array): void {
    this.capsuleBytes += bytes.length;
    if (this.peerClosed) {
      this.fail('MESSAGE_ERROR', BEHIND_CLOSE);
    } else if (this.capsuleBytes > MAX_CAPSULE_BYTES) {
      this.fail('EXCESSIVE_LOAD', 'too many capsules');
    } else {
      this.readCapsules(bytes);
    }
  }

  private readCapsules(bytes: Uint8Array): void {
    const { capsules } = this;
    capsules.feed(bytes);
    for (let found = capsules.next(); found !== null; found = capsules.next()) {
      if (this.peerClosed || found === 'oversized') {
        const what = this.peerClosed ? BEHIND_CLOSE : 'the close of a session is too long';
        this.fail('MESSAGE_ERROR', what);
        return;
      }
      this.takeClose(capsules.payload);
    }
    capsules.detach();
    if (this.peerClosed && capsules.midFrame) this.fail('MESSAGE_ERROR', BEHIND_CLOSE);
  }

  private takeClose(value: Uint8Array): void {
    try {
      const close = decodeSessionClose(value);
      this.peerClosed = true;
      this.endedByPeer(close);
    } catch (error) {
      if (!(error instanceof Http3Fault)) throw error;
      this.message.fail(error);
    }
  }

  private fail(code: 'MESSAGE_ERROR' | 'EXCESSIVE_LOAD', what: string): void {
    this.message.fail(streamFault(code, what));
  }

  private endedByPeer(close: SessionClose): void {
    if (this.ended) return;
    this.ended = true;
    this.message.end();
    this.observer.onEnded(close);
  }

  private finish(): void {
    this.ended = true;
    this.message.end();
    this.dropStream();
  }
}
