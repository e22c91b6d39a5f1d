import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';
import type { QuicClosed } from '../quic/quic-closed.js';
import type { QuicConnectionObserver } from '../quic/connection-observer.js';
import type { QuicConnection } from '../quic/quic-connection.js';
import type { QuicStream } from '../quic/quic-stream.js';
import type { Http3Metrics } from '../telemetry/http3-metrics.js';
import { ControlStreamReader } from './control-stream.js';
import { FrameType, StreamType, encodeFrame } from './frames.js';
import {
  Http3Code,
  Http3Fault,
  connectionFault,
  http3CodeName,
  streamFault,
} from './http3-fault.js';
import {
  DRAIN_LINGER_MS,
  MAX_FIELD_SECTION_BYTES,
  MAX_VAIN_STREAMS,
  SETTLE_MS,
  SWEEP_MS,
} from './limits.js';
import { MessageStream } from './message-stream.js';
import type { MessageHost } from './message-stream.js';
import type { Field } from './qpack-static-table.js';
import { DecoderStreamReader, readEncoderStream } from './qpack-streams.js';
import { requestHead } from './request-head.js';
import type { RequestHead } from './request-head.js';
import { SettingId, encodeSettings } from './settings.js';
import type { Settings } from './settings.js';
import { UniStream } from './uni-stream.js';
import type { UniStreamHost, UniStreamSink } from './uni-stream.js';
import { encodeVarints } from './varint.js';
import {
  WEBTRANSPORT_PROTOCOL,
  WEBTRANSPORT_SETTINGS,
  WebTransportSignal,
} from './webtransport.js';
import { WebTransportConnection } from './webtransport-connection.js';
import type { WebTransportHost } from './webtransport-connection.js';

/** What every HTTP/3 connection of ours announces; one with WebTransport adds to it. */
const PLAIN_SETTINGS: Settings = new Map([
  [SettingId.QPACK_MAX_TABLE_CAPACITY, 0],
  [SettingId.MAX_FIELD_SECTION_SIZE, MAX_FIELD_SECTION_BYTES],
  [SettingId.QPACK_BLOCKED_STREAMS, 0],
]);
const ALL_SETTINGS: Settings = new Map([...PLAIN_SETTINGS, ...WEBTRANSPORT_SETTINGS]);

/** A request whose header section was read. */
export interface Http3Request {
  readonly head: RequestHead;
  readonly message: MessageStream;
  readonly connection: QuicConnection;
  /** For CONNECT; null where WebTransport is not offered. */
  readonly webTransport: WebTransportConnection | null;
  /** As `Http3Connection.drain`. */
  readonly drain: () => void;
}

export interface Http3Options {
  /** Answers, or binds an observer to the body before it returns. */
  readonly onRequest: (request: Http3Request) => void;
  readonly onEnded: (connection: Http3Connection) => void;
  readonly wheel: TimerWheel;
  readonly metrics: Http3Metrics;
  /** Whether WebTransport sessions may begin. */
  readonly webTransport: boolean;
  /** Whether it lives no longer than its requests: it drains once none is under way any more. */
  readonly brief: boolean;
}

/** The server's side of one HTTP/3 connection (RFC 9114). */
export class Http3Connection
  implements QuicConnectionObserver, MessageHost, UniStreamHost, WebTransportHost
{
  private readonly messages = new Set<MessageStream>();
  private readonly control: QuicStream;
  private readonly peerControl = new ControlStreamReader((settings) =>
    this.webTransport?.settle(settings),
  );
  private readonly webTransport: WebTransportConnection | null;
  private readonly peerDecoder = new DecoderStreamReader();
  private readonly criticalStreams = new Set<number>();
  private readonly sweeper: WheelTimer;
  /** Streams that came to nothing, less those that were served; halved by every sweep. */
  private vain = 0;
  private nextRequestId = 0;
  private idleSwept: boolean;
  /** The first request that is not served any more; Infinity before a GOAWAY. */
  private goneFrom = Infinity;
  private closer: WheelTimer | null = null;
  /** What it is closed with once it was told to leave. */
  private farewell: string | null = null;
  private over = false;

  /** @throws {CodedError} STREAM_LIMIT where the peer allows no control stream. */
  constructor(
    private readonly connection: QuicConnection,
    private readonly options: Http3Options,
  ) {
    this.idleSwept = options.brief;
    this.sweeper = options.wheel.timer(() => this.sweep());
    this.webTransport = options.webTransport
      ? new WebTransportConnection(this, options.metrics)
      : null;
    this.control = connection.openStream('uni');
    this.control.bind({
      onReadable: () => undefined,
      onDrained: () => undefined,
      onAborted: () => this.onFault(connectionFault('CLOSED_CRITICAL_STREAM', 'ours was stopped')),
    });
    this.control.write(encodeVarints(StreamType.CONTROL));
    this.control.write(encodeSettings(options.webTransport ? ALL_SETTINGS : PLAIN_SETTINGS));
    this.sweeper.arm(SWEEP_MS);
  }

  get speaksWebTransport(): boolean {
    return this.webTransport !== null;
  }

  /**
   * Serves no new request: they are rejected, so that clients may safely send them elsewhere. Closes
   * when the others are over (RFC 9114 section 5.2). Idempotent.
   */
  drain(): void {
    if (this.over || this.goneFrom !== Infinity) return;
    this.goneFrom = this.nextRequestId;
    this.control.write(encodeFrame(FrameType.GOAWAY, encodeVarints(this.goneFrom)));
    this.webTransport?.drain();
    this.closeIfDone();
  }

  /** Closes at once: clients take it for a clean end. */
  private close(reason: string): void {
    this.connection.close(Http3Code.NO_ERROR, reason);
  }

  /**
   * As `drain`, and closes SETTLE_MS after nothing is under way any more; what is under way has DRAIN_LINGER_MS. A
   * browser that finds the end of a session and that of its connection together tells its page only of the latter.
   * Idempotent.
   */
  leave(reason: string): void {
    this.drain();
    if (this.over || this.farewell !== null) return;
    this.farewell = reason;
    this.closeWithin(this.messages.size === 0 ? SETTLE_MS : DRAIN_LINGER_MS);
  }

  onStream(stream: QuicStream): void {
    if (!stream.bidi) {
      new UniStream(stream, this);
      return;
    }
    if (stream.id < this.goneFrom) this.nextRequestId = Math.max(this.nextRequestId, stream.id + 4);
    if (this.webTransport === null) this.acceptRequest(stream);
    else this.webTransport.open(stream);
  }

  onDatagrams(): void {
    try {
      for (let next = this.connection.readDatagram(); next !== null;) {
        this.webTransport?.datagram(next);
        next = this.connection.readDatagram();
      }
    } catch (error) {
      if (!(error instanceof Http3Fault)) throw error;
      this.onFault(error);
    }
  }

  acceptRequest(stream: QuicStream): void {
    if (stream.id >= this.goneFrom) {
      stream.stopReading(Http3Code.REQUEST_REJECTED);
      stream.reset(Http3Code.REQUEST_REJECTED);
      return;
    }
    this.messages.add(new MessageStream(stream, this));
  }

  onClosed(closed: QuicClosed): void {
    this.over = true;
    this.sweeper.disarm();
    this.closer?.disarm();
    for (const message of [...this.messages]) message.gone(closed);
    this.messages.clear();
    this.webTransport?.clear();
    this.options.onEnded(this);
  }

  onHead(message: MessageStream, fields: readonly Field[] | null): void {
    if (fields === null) {
      this.options.metrics.requests.add('431');
      message.sendFields([[':status', '431']], true);
      message.stopReading(Http3Code.EXCESSIVE_LOAD);
      return;
    }
    const { connection, webTransport } = this;
    const head = requestHead(fields, webTransport !== null);
    if (head.contentLength !== null) message.expectBody(head.contentLength);
    const request = { head, message, connection, webTransport, drain: () => this.drain() };
    if (webTransport === null || head.protocol !== WEBTRANSPORT_PROTOCOL) {
      this.options.onRequest(request);
    } else {
      webTransport.whenSettled(message, () => this.options.onRequest(request));
    }
  }

  onVain(fault: Http3Fault): void {
    if (fault.scope === 'connection') {
      this.onFault(fault);
    } else {
      this.options.metrics.faults.add(http3CodeName(fault.code));
      this.countVain();
    }
  }

  onOver(message: MessageStream): void {
    this.messages.delete(message);
    this.webTransport?.forget(message);
    if (message.readEnded && this.vain > 0) this.vain--;
    this.idleSwept = false;
    if (this.options.brief && this.messages.size === 0) this.drain();
    this.closeIfDone();
  }

  sinkFor(type: number): UniStreamSink | null {
    if (type === StreamType.PUSH) {
      throw connectionFault('STREAM_CREATION_ERROR', 'clients cannot push');
    }
    if (type > StreamType.QPACK_DECODER) return null;
    if (this.criticalStreams.has(type)) {
      throw connectionFault('STREAM_CREATION_ERROR', `a second stream of type ${type}`);
    }
    this.criticalStreams.add(type);
    if (type === StreamType.QPACK_ENCODER) return readEncoderStream;
    if (type === StreamType.QPACK_DECODER) return (bytes) => this.peerDecoder.read(bytes);
    return (bytes) => this.peerControl.read(bytes);
  }

  onFault(fault: Http3Fault): void {
    if (this.connection.closed) return;
    this.options.metrics.faults.add(http3CodeName(fault.code));
    this.connection.close(fault.code, fault.message);
  }

  onUnwanted(type: number): number {
    this.countVain();
    if (type === WebTransportSignal.UNI && this.webTransport !== null) {
      return this.webTransport.refusedUni();
    }
    this.options.metrics.faults.add(http3CodeName(Http3Code.STREAM_CREATION_ERROR));
    return Http3Code.STREAM_CREATION_ERROR;
  }

  countVain(): void {
    if (++this.vain > MAX_VAIN_STREAMS) {
      this.onFault(connectionFault('EXCESSIVE_LOAD', 'too many streams that come to nothing'));
    }
  }

  /** Ends what has not moved since the last sweep. */
  private sweep(): void {
    if (this.over) return;
    this.vain >>= 1;
    for (const message of [...this.messages]) this.sweepMessage(message);
    this.webTransport?.sweep();
    if (this.over) return;
    if (this.messages.size > 0) {
      this.idleSwept = false;
    } else if (this.idleSwept) {
      this.close('no requests');
      return;
    } else {
      this.idleSwept = true;
    }
    this.sweeper.arm(SWEEP_MS);
  }

  private sweepMessage(message: MessageStream): void {
    if (!message.headless && !message.answered) return;
    if (!message.swept) {
      message.swept = true;
    } else if (message.headless) {
      message.fail(streamFault('REQUEST_INCOMPLETE', 'a request without HEADERS'));
    } else {
      message.stopReading(Http3Code.NO_ERROR);
    }
    if (message.answered && message.stalls()) message.reset(Http3Code.REQUEST_CANCELLED);
  }

  /** Last answers may be under way, and closing would discard them: the client has time to close first. */
  private closeIfDone(): void {
    if (this.goneFrom === Infinity || this.messages.size > 0) return;
    this.closeWithin(this.farewell === null ? DRAIN_LINGER_MS : SETTLE_MS);
  }

  private closeWithin(delay: number): void {
    this.closer ??= this.options.wheel.timer(() => this.close(this.farewell ?? 'going away'));
    this.closer.armWithin(delay);
  }
}
