import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import type { FrameWriter } from './frame-writer.js';
import {
  FIRST_WINDOW,
  Flag,
  FrameType,
  MAX_HEADERS,
  MAX_REQUEST_HEADERS,
  PREFACE,
  Setting,
} from './frames.js';

/** Of one setting: a number of 16 bits and a value of 32. */
export const SETTING_BYTES = 6;
const PING_BYTES = 8;
/** Above so many bytes that the system does not take the peer is not reading. */
export const MAX_BACKLOG = 4 * 1_048_576;

/** Writes the frames that carry no call (RFC 9113 section 6). */
export class ControlFrames {
  constructor(private readonly writer: FrameWriter) {}

  /** Preface and SETTINGS of a client: no pushes, windows of these sizes, and the headers that we take. */
  openingOfClient(streamWindow: number, connectionWindow: number): void {
    this.writer.raw(PREFACE);
    this.settings(
      [Setting.ENABLE_PUSH, 0],
      [Setting.INITIAL_WINDOW_SIZE, streamWindow],
      [Setting.MAX_HEADER_LIST_SIZE, MAX_HEADERS],
    );
    this.credit(0, connectionWindow - FIRST_WINDOW);
  }

  /** SETTINGS of a server. @param maxStreams calls that one client may have under way. */
  openingOfServer(maxStreams: number, streamWindow: number, connectionWindow: number): void {
    this.settings(
      [Setting.MAX_CONCURRENT_STREAMS, maxStreams],
      [Setting.INITIAL_WINDOW_SIZE, streamWindow],
      [Setting.MAX_HEADER_LIST_SIZE, MAX_REQUEST_HEADERS],
    );
    this.credit(0, connectionWindow - FIRST_WINDOW);
  }

  /** @throws {ConnectionError} where the peer does not read what it asks for. */
  settingsAck(): void {
    this.checkRead();
    this.writer.head(0, FrameType.SETTINGS, Flag.ACK, 0);
  }

  ping(): void {
    this.writer.head(PING_BYTES, FrameType.PING, 0, 0);
    this.writer.uint32(0);
    this.writer.uint32(0);
  }

  /**
   * @param payload that of the peer's ping.
   * @throws {ConnectionError} where the peer does not read what it asks for.
   */
  pong(payload: Uint8Array): void {
    this.checkRead();
    this.writer.head(PING_BYTES, FrameType.PING, Flag.ACK, 0);
    this.writer.bytes(payload);
  }

  reset(streamId: number, code: number): void {
    this.writer.head(4, FrameType.RST_STREAM, 0, streamId);
    this.writer.uint32(code);
  }

  /** WINDOW_UPDATE; stream 0 is the connection. */
  credit(streamId: number, bytes: number): void {
    this.writer.head(4, FrameType.WINDOW_UPDATE, 0, streamId);
    this.writer.uint32(bytes);
  }

  /** @param lastStreamId the last of the peer's streams that was or may have been looked at. */
  goaway(lastStreamId: number, code: number): void {
    this.writer.head(8, FrameType.GOAWAY, 0, 0);
    this.writer.uint32(lastStreamId);
    this.writer.uint32(code);
  }

  private settings(...settings: readonly (readonly [id: number, value: number])[]): void {
    const { writer } = this;
    writer.head(settings.length * SETTING_BYTES, FrameType.SETTINGS, 0, 0);
    for (const [id, value] of settings) {
      writer.uint16(id);
      writer.uint32(value);
    }
  }

  private checkRead(): void {
    if (this.writer.backlog <= MAX_BACKLOG) return;
    const reason = 'PING or SETTINGS whose answers are not read';
    throw new ConnectionError(Http2Code.ENHANCE_YOUR_CALM, reason);
  }
}
