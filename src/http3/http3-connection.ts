import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';
import type { QuicClosed } from '../quic/quic-closed.js';
import type { QuicConnection, QuicConnectionObserver } from '../quic/quic-connection.js';
import type { QuicStream } from '../quic/quic-stream.js';
import type { Http3Metrics } from '../telemetry/http3-metrics.js';
import { ControlStreamReader } from './control-stream.js';
import { FrameType, StreamType, encodeFrame } from './frames.js';
import { Http3Code, connectionFault, http3CodeName } from './http3-fault.js';
import type { Http3Fault } from './http3-fault.js';
import { DRAIN_LINGER_MS, MAX_FIELD_SECTION_BYTES, MAX_VAIN_STREAMS, SWEEP_MS } from './limits.js';
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

/** What every HTTP/3 connection of ours announces; one that offers more adds to it. */
export const PLAIN_SETTINGS: Settings = new Map([
  [SettingId.QPACK_MAX_TABLE_CAPACITY, 0],
  [SettingId.MAX_FIELD_SECTION_SIZE, MAX_FIELD_SECTION_BYTES],
  [SettingId.QPACK_BLOCKED_STREAMS, 0],
]);

/** A request whose header section was read. */
export interface Http3Request {
  readonly head: RequestHead;
  readonly message: MessageStream;
  readonly connection: QuicConnection;
}

export interface Http3Options {
  /** Answers, or binds an observer to the body before it returns. */
  readonly onRequest: (request: Http3Request) => void;
  readonly onEnded: (connection: Http3Connection) => void;
  readonly wheel: TimerWheel;
  readonly metrics: Http3Metrics;
  /** Default PLAIN_SETTINGS. */
  readonly settings?: Settings;
}

/** The server's side of one HTTP/3 connection (RFC 9114). */
export class Http3Connection implements QuicConnectionObserver, MessageHost, UniStreamHost {
  private readonly messages = new Set<MessageStream>();
  private readonly settings: Settings;
  private readonly control: QuicStream;
  private readonly peerControl = new ControlStreamReader(() => undefined);
  private readonly peerDecoder = new DecoderStreamReader();
  private readonly criticalStreams = new Set<number>();
  private readonly sweeper: WheelTimer;
  /** Streams that came to nothing, less those that were served; halved by every sweep. */
  private vain = 0;
  private nextRequestId = 0;
  private idleSwept = false;
  /** The first request that is not served any more; Infinity before a GOAWAY. */
  private goneFrom = Infinity;
  private lingering: WheelTimer | null = null;
  private over = false;

  /** @throws {CodedError} STREAM_LIMIT where the peer allows no control stream. */
  constructor(
    private readonly connection: QuicConnection,
    private readonly options: Http3Options,
  ) {
    this.settings = options.settings ?? PLAIN_SETTINGS;
    this.sweeper = options.wheel.timer(() => this.sweep());
    this.control = connection.openStream('uni');
    this.control.bind({
      onReadable: () => undefined,
      onDrained: () => undefined,
      onAborted: () => this.onFault(connectionFault('CLOSED_CRITICAL_STREAM', 'ours was stopped')),
    });
    this.control.write(encodeVarints(StreamType.CONTROL));
    this.control.write(encodeSettings(this.settings));
    this.sweeper.arm(SWEEP_MS);
  }

  /** What the client announced, or null before it did. */
  get peerSettings(): Settings | null {
    return this.peerControl.settings;
  }

  /** Requests that are not over. */
  get requestCount(): number {
    return this.messages.size;
  }

  /**
   * Serves no new request: they are rejected, so that clients may safely send them elsewhere. Closes
   * when the others are over (RFC 9114 section 5.2). Idempotent.
   */
  drain(): void {
    if (this.over || this.goneFrom !== Infinity) return;
    this.goneFrom = this.nextRequestId;
    this.control.write(encodeFrame(FrameType.GOAWAY, encodeVarints(this.goneFrom)));
    this.closeIfDone();
  }

  /** Closes at once: clients take it for a clean end. */
  close(reason: string): void {
    this.connection.close(Http3Code.NO_ERROR, reason);
  }

  onStream(stream: QuicStream): void {
    if (!stream.bidi) {
      new UniStream(stream, this);
      return;
    }
    if (stream.id >= this.goneFrom) {
      stream.stopReading(Http3Code.REQUEST_REJECTED);
      stream.reset(Http3Code.REQUEST_REJECTED);
      return;
    }
    this.nextRequestId = Math.max(this.nextRequestId, stream.id + 4);
    this.messages.add(new MessageStream(stream, this));
  }

  onClosed(closed: QuicClosed): void {
    this.over = true;
    this.sweeper.disarm();
    this.lingering?.disarm();
    for (const message of [...this.messages]) message.gone(closed);
    this.messages.clear();
    this.options.onEnded(this);
  }

  onHead(message: MessageStream, fields: readonly Field[] | null): void {
    if (fields === null) {
      this.options.metrics.requests.add('431');
      message.sendFields([[':status', '431']], true);
      message.stopReading(Http3Code.EXCESSIVE_LOAD);
      return;
    }
    const extended = this.settings.get(SettingId.ENABLE_CONNECT_PROTOCOL) === 1;
    const head = requestHead(fields, extended);
    if (head.contentLength !== null) message.expectBody(head.contentLength);
    this.options.onRequest({ head, message, connection: this.connection });
  }

  onVain(fault: Http3Fault): void {
    if (fault.scope === 'connection') this.onFault(fault);
    else this.countVain(fault.code);
  }

  onOver(message: MessageStream): void {
    this.messages.delete(message);
    if (message.readEnded && this.vain > 0) this.vain--;
    this.idleSwept = false;
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

  onUnwanted(): void {
    this.countVain(Http3Code.STREAM_CREATION_ERROR);
  }

  private countVain(code: Http3Code): void {
    this.options.metrics.faults.add(http3CodeName(code));
    if (++this.vain > MAX_VAIN_STREAMS) {
      this.onFault(connectionFault('EXCESSIVE_LOAD', 'too many streams that come to nothing'));
    }
  }

  /** Ends what has not moved since the last sweep. */
  private sweep(): void {
    if (this.over) return;
    this.vain >>= 1;
    for (const message of [...this.messages]) this.sweepMessage(message);
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
      this.countVain(Http3Code.REQUEST_INCOMPLETE);
      message.abort(Http3Code.REQUEST_INCOMPLETE);
    } else {
      message.stopReading(Http3Code.NO_ERROR);
    }
  }

  /** Last answers may be under way, and closing would discard them: the client has time to close first. */
  private closeIfDone(): void {
    if (this.goneFrom === Infinity || this.messages.size > 0 || this.lingering !== null) return;
    this.lingering = this.options.wheel.timer(() => this.close('going away'));
    this.lingering.arm(DRAIN_LINGER_MS);
  }
}
