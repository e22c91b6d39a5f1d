import type { QuicClosed } from './quic-closed.js';
import type { QuicStream } from './quic-stream.js';

/** What a connection tells its owner, always from within a turn. */
export interface QuicConnectionObserver {
  /** The peer opened a stream; bind an observer to it, or reset it and stop reading it. */
  onStream(stream: QuicStream): void;
  /** Exactly once, and the last call; for connections whose handshake was completed. */
  onClosed(closed: QuicClosed): void;
  /** Unreliable QUIC datagrams wait: call `readDatagram` until it returns null. */
  onDatagrams?(): void;
}
