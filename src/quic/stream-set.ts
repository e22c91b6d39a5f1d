import { CodedError } from '../base/errors.js';
import { QuicStream } from './quic-stream.js';
import type { StreamHost } from './quic-stream.js';

/**
 * The streams of one connection that are open in at least one direction. A plain list: nearly every
 * connection has exactly one.
 */
export class StreamSet {
  private readonly streams: QuicStream[] = [];
  private openedBidi = 0;
  private openedUni = 0;
  /** Behind the highest that was accepted, in units of streams: bidirectional, unidirectional. */
  private readonly accepted: [number, number] = [0, 0];

  constructor(
    private readonly host: StreamHost,
    private readonly isServer: boolean,
  ) {}

  get size(): number {
    return this.streams.length;
  }

  /** @throws {CodedError} STREAM_LIMIT where the peer allows no more now. */
  open(kind: 'bidi' | 'uni'): QuicStream {
    const bidi = kind === 'bidi';
    const { quiche } = this.host;
    const left = bidi ? quiche.peerStreamsLeftBidi() : quiche.peerStreamsLeftUni();
    // quiche counts a stream from its first bytes on.
    const unsent = this.streams.filter((stream) => !stream.announced && stream.bidi === bidi);
    if (left <= unsent.length)
      throw new CodedError('STREAM_LIMIT', `the peer allows no further ${kind} stream`);
    const sequence = bidi ? this.openedBidi++ : this.openedUni++;
    return this.add(sequence * 4 + (bidi ? 0 : 2) + (this.isServer ? 1 : 0), false);
  }

  remove(stream: QuicStream): void {
    const index = this.streams.indexOf(stream);
    if (index !== -1) this.streams.splice(index, 1);
  }

  clear(): void {
    this.streams.length = 0;
  }

  /** Hands out what can be read; `onStream` is called for every stream that the peer opened. */
  deliver(onStream: (stream: QuicStream) => void): void {
    const { quiche } = this.host;
    const several = this.streams.length > 1;
    for (let index = 0; index < this.streams.length; index++) {
      const stream = this.streams[index] as QuicStream;
      if (several && !stream.wantsDelivery && !quiche.streamReadable(stream.id)) continue;
      stream.deliver();
      // A stream that ended took itself out of the list.
      if (this.streams[index] !== stream) index--;
    }
    if (quiche.isReadable()) this.accept(onStream);
  }

  /** Gives quiche as much as it takes of what waits. */
  writeOut(): void {
    for (let index = this.streams.length - 1; index >= 0; index--) {
      const stream = this.streams[index];
      if (stream?.wantsToSend === true) stream.writeOut();
    }
  }

  /** Whether anything waits to be sent. */
  wantsToSend(): boolean {
    for (let index = 0; index < this.streams.length; index++) {
      if (this.streams[index]?.wantsToSend === true) return true;
    }
    return false;
  }

  /** Whether a reader that was paused asked to be called again. */
  wantsDelivery(): boolean {
    for (let index = 0; index < this.streams.length; index++) {
      if (this.streams[index]?.wantsDelivery === true) return true;
    }
    return false;
  }

  /** Tells streams whose buffers have emptied. */
  wake(): void {
    for (let index = this.streams.length - 1; index >= 0; index--) this.streams[index]?.wake();
  }

  /**
   * Streams that the peer opened. They come nearly always in order, so the next of either kind is tried
   * first: asking quiche for all readable ones costs 15 us and five handles, four of which outlive every
   * collection of young objects (docs/PERFORMANCE-NOTES.md).
   */
  private accept(onStream: (stream: QuicStream) => void): void {
    this.acceptNext(0, onStream);
    this.acceptNext(1, onStream);
    const { quiche } = this.host;
    if (!quiche.isReadable()) return;
    const openedByPeer = this.isServer ? 0 : 1;
    for (const id of quiche.readable()) {
      if ((id & 1) !== openedByPeer || this.streams.some((stream) => stream.id === id)) continue;
      this.acceptOne(id, onStream);
    }
  }

  /** @param kind 0: bidirectional, 1: unidirectional, as in bit 1 of a stream id (RFC 9000 section 2.1). */
  private acceptNext(kind: 0 | 1, onStream: (stream: QuicStream) => void): void {
    for (;;) {
      const id = (this.accepted[kind] ?? 0) * 4 + kind * 2 + (this.isServer ? 0 : 1);
      if (!this.host.quiche.streamReadable(id)) return;
      this.acceptOne(id, onStream);
    }
  }

  private acceptOne(id: number, onStream: (stream: QuicStream) => void): void {
    const kind = (id >> 1) & 1;
    this.accepted[kind] = Math.max(this.accepted[kind] ?? 0, Math.floor(id / 4) + 1);
    const stream = this.add(id, true);
    onStream(stream);
    stream.deliver();
  }

  private add(id: number, openedByPeer: boolean): QuicStream {
    const stream = new QuicStream(this.host, id, openedByPeer);
    this.streams.push(stream);
    return stream;
  }
}
