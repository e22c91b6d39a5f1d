import type { QuicStream } from '../quic/quic-stream.js';
import type { Http3Metrics } from '../telemetry/http3-metrics.js';
import { BidiOpening } from './bidi-opening.js';
import type { OpeningHost } from './bidi-opening.js';
import { decodeDatagram } from './http-datagram.js';
import { Http3Code, Http3Fault, connectionFault, streamFault } from './http3-fault.js';
import type { MessageStream } from './message-stream.js';
import type { Settings } from './settings.js';
import { WebTransportCode, announcesWebTransport, streamErrorCode } from './webtransport.js';
import { WebTransportSession } from './webtransport-session.js';
import type { WebTransportObserver } from './webtransport-session.js';

/** What a session's streams beyond its first are refused with, as its application sees it: HTTP's 403. */
const UNWANTED_STREAM = 403;

/** What it needs of its HTTP/3 connection. */
export interface WebTransportHost {
  /** A bidirectional stream is a request after all; it will be delivered from its beginning. */
  acceptRequest(stream: QuicStream): void;
  onFault(fault: Http3Fault): void;
  /** A stream that came to nothing; a flood of them ends the connection. */
  countVain(): void;
}

/** A CONNECT that came before the client's SETTINGS. */
interface HeldConnect {
  readonly message: MessageStream;
  readonly proceed: () => void;
}

/** A stream that came before its session. */
interface EarlyStream {
  readonly stream: QuicStream;
  readonly sessionId: number;
  swept: boolean;
}

/**
 * What WebTransport adds to the server's side of one HTTP/3 connection: it tells streams of sessions from
 * requests, holds what comes before its time, and refuses what nobody here wants. One session at once, with
 * one bidirectional stream; unidirectional streams and datagrams are refused.
 */
export class WebTransportConnection implements OpeningHost {
  private readonly openings = new Set<BidiOpening>();
  private session: WebTransportSession | null = null;
  private held: HeldConnect[] = [];
  private early: EarlyStream | null = null;
  private settings: Settings | null = null;

  constructor(
    private readonly host: WebTransportHost,
    private readonly metrics: Http3Metrics,
  ) {}

  /** Whether a session may begin: none has on this connection. */
  get free(): boolean {
    return this.session === null;
  }

  /** The client opened a bidirectional stream. */
  open(stream: QuicStream): void {
    this.openings.add(new BidiOpening(stream, this));
  }

  /**
   * Goes on with a CONNECT for a session, at once or when the client's SETTINGS are there: versions of
   * WebTransport differ, and only they tell which it speaks.
   * @throws {Http3Fault} MESSAGE_ERROR, for the stream, where it announced none that we know.
   */
  whenSettled(message: MessageStream, proceed: () => void): void {
    if (this.settings === null) {
      message.pause();
      this.held.push({ message, proceed });
    } else if (announcesWebTransport(this.settings)) {
      proceed();
    } else {
      throw streamFault('MESSAGE_ERROR', 'CONNECT of a client that announced no WebTransport');
    }
  }

  /** The client's SETTINGS came. */
  settle(settings: Settings): void {
    this.settings = settings;
    const { held } = this;
    this.held = [];
    for (const { message, proceed } of held) {
      try {
        this.whenSettled(message, proceed);
        message.resume();
      } catch (error) {
        if (!(error instanceof Http3Fault)) throw error;
        message.fail(error);
      }
    }
  }

  /** Begins the session of a CONNECT that was answered; only while `free`. */
  begin(message: MessageStream, observer: WebTransportObserver): WebTransportSession {
    const session = new WebTransportSession(message, observer);
    this.session = session;
    const { early } = this;
    this.early = null;
    // First, for who takes it may pause it again.
    early?.stream.resume();
    if (early !== null) this.giveTo(early.stream, early.sessionId);
    return session;
  }

  /** A CONNECT was refused: so are the streams of its session. */
  refuse(message: MessageStream): void {
    if (this.early?.sessionId === message.id) this.dropEarly(WebTransportCode.SESSION_GONE);
  }

  /** A request is over: where it was a CONNECT that is held, its client has cancelled it. */
  forget(message: MessageStream): void {
    this.held = this.held.filter((one) => one.message !== message);
    this.refuse(message);
  }

  /** Asks the session's application to end it. */
  drain(): void {
    this.session?.drain();
  }

  /** The type of a unidirectional stream that is refused was that of a session's. */
  refusedUni(): number {
    this.metrics.webTransportRefused.add('uni_stream');
    return streamErrorCode(UNWANTED_STREAM);
  }

  /** @throws {Http3Fault} DATAGRAM_ERROR, for the connection, where it is no HTTP datagram. */
  datagram(datagram: Uint8Array): void {
    decodeDatagram(datagram);
    this.metrics.webTransportRefused.add('datagram');
  }

  /** Ends what has not moved since the last sweep. */
  sweep(): void {
    for (const opening of [...this.openings]) {
      if (opening.swept) this.onNothing(opening);
      opening.swept = true;
    }
    for (const { message } of this.held) {
      if (message.swept) this.host.onFault(connectionFault('MISSING_SETTINGS', 'none came'));
      message.swept = true;
    }
    if (this.early?.swept === true) this.dropEarly(WebTransportCode.BUFFERED_STREAM_REJECTED);
    else if (this.early !== null) this.early.swept = true;
  }

  /** The connection is gone. */
  clear(): void {
    this.openings.clear();
    this.held = [];
    this.early = null;
  }

  onRequest(opening: BidiOpening): void {
    this.openings.delete(opening);
    this.host.acceptRequest(opening.stream);
  }

  onSessionStream(opening: BidiOpening, sessionId: number): void {
    this.openings.delete(opening);
    // The ids of a client's bidirectional streams (RFC 9000 section 2.1).
    if (sessionId % 4 === 0) this.giveTo(opening.stream, sessionId);
    else this.host.onFault(connectionFault('ID_ERROR', `${sessionId} cannot be a session`));
  }

  onNothing(opening: BidiOpening): void {
    this.openings.delete(opening);
    this.end(opening.stream, Http3Code.REQUEST_INCOMPLETE);
    this.metrics.faults.add('request_incomplete');
    this.host.countVain();
  }

  private giveTo(stream: QuicStream, sessionId: number): void {
    const { session } = this;
    if (session === null) {
      this.keep(stream, sessionId);
    } else if (session.id !== sessionId || session.over) {
      this.refuseStream(stream, WebTransportCode.SESSION_GONE);
    } else if (!session.wantsStream) {
      this.refuseStream(stream, streamErrorCode(UNWANTED_STREAM));
    } else {
      session.attach(stream);
    }
  }

  /** One is kept: the one that the client opened first. Flow control bounds what it holds. */
  private keep(stream: QuicStream, sessionId: number): void {
    const { early } = this;
    stream.pause();
    if (early !== null && early.stream.id < stream.id) {
      this.refuseStream(stream, WebTransportCode.BUFFERED_STREAM_REJECTED);
      return;
    }
    this.dropEarly(WebTransportCode.BUFFERED_STREAM_REJECTED);
    this.early = { stream, sessionId, swept: false };
  }

  private dropEarly(code: number): void {
    if (this.early !== null) this.refuseStream(this.early.stream, code);
    this.early = null;
  }

  private refuseStream(stream: QuicStream, code: number): void {
    const early = code !== streamErrorCode(UNWANTED_STREAM);
    this.metrics.webTransportRefused.add(early ? 'stray_stream' : 'bidi_stream');
    this.end(stream, code);
    this.host.countVain();
  }

  private end(stream: QuicStream, code: number): void {
    stream.reset(code);
    stream.stopReading(code);
  }
}
