/** Largest datagram that we send: fits every path with an MTU of 1,400 bytes and more. */
export const MAX_SEND_DATAGRAM_BYTES = 1_350;

/** What every path that QUIC can be spoken over lets through (RFC 9000 section 14). */
export const SAFE_DATAGRAM_BYTES = 1_200;

/** Largest datagram that we accept, as we tell the peer. */
export const MAX_RECV_DATAGRAM_BYTES = 1_500;

/** A datagram with a client's first Initial is at least this long (RFC 9000 section 14.1). */
export const MIN_INITIAL_DATAGRAM_BYTES = 1_200;

/** No valid packet is shorter (RFC 9000 section 10.3); shorter ones must not be parsed. */
export const MIN_PACKET_BYTES = 21;

/** Length of every connection id that we choose: 64 random bits, at a fixed offset in short headers. */
export const CONNECTION_ID_BYTES = 8;

/** Of a stateless reset (RFC 9000 section 10.3). */
export const RESET_TOKEN_BYTES = 16;

/**
 * Connection ids that each side of a connection holds of the other: the one in use and two spares, as
 * far as the peer allows (quiche gives out no more than it takes). With two in all, one is left in the
 * moment after a retirement, and quiche 0.18 takes a repeated RETIRE_CONNECTION_ID for a violation
 * then; quic-go retires its first id right after the handshake, and repeats it where packets are lost.
 * Not more, for the ids that a peer makes us retire feed a queue in quiche.
 */
export const ACTIVE_CONNECTION_IDS = 3;

/** What one connection may use of this endpoint, and how long it may take. Times are ms. */
export interface TransportLimits {
  /** Silence after which a connection is dead; the smaller of both sides' values counts. */
  readonly idleTimeout: number;
  /** From the first Initial to the end of the handshake. */
  readonly handshakeTimeout: number;
  /** Bytes of one stream that the peer may send ahead of our reading, at first. */
  readonly streamWindow: number;
  /** What reading fast lets that grow to. */
  readonly maxStreamWindow: number;
  /** The same for all streams of a connection together. */
  readonly connectionWindow: number;
  readonly maxConnectionWindow: number;
  /** Streams that the peer may have open at once. */
  readonly maxStreamsBidi: number;
  readonly maxStreamsUni: number;
  /** Unreliable QUIC datagrams queued each way; 0 turns them off. */
  readonly datagramQueue: number;
}

/**
 * Made for one bidirectional stream of frames of at most 1 MiB: the window lets such a frame cross
 * a 100 ms path in half a second, and is what a client can make us hold while its reader is paused.
 * Four streams, not one, so that a client that opens more is seen, refused and counted.
 */
export const DEFAULT_LIMITS: TransportLimits = Object.freeze({
  idleTimeout: 60_000,
  handshakeTimeout: 10_000,
  streamWindow: 256 * 1024,
  maxStreamWindow: 1024 * 1024,
  connectionWindow: 384 * 1024,
  maxConnectionWindow: 1536 * 1024,
  maxStreamsBidi: 4,
  maxStreamsUni: 4,
  datagramQueue: 0,
});
