import type { RemoteInfo } from 'node:dgram';
import type { Clock } from '../base/clock.js';
import { AnswerRate } from './answer-rate.js';
import type { ConnectionIdSource } from './connection-id.js';
import { TransportError, initialClose } from './initial-close.js';
import { MAX_SEND_DATAGRAM_BYTES, MIN_INITIAL_DATAGRAM_BYTES } from './limits.js';
import { QUIC_V1 } from './packet-header.js';
import type { LongHeader } from './packet-header.js';
import { quiche } from './quiche.js';
import { RetryTokens, isRetryToken } from './retry-token.js';

/** RFC 9000 section 7.2: the first destination id of a client has at least this length. */
const MIN_FIRST_ID_BYTES = 8;

/**
 * Version negotiations per second (RFC 9000 section 6.1 lets a server limit them): no client of today
 * needs one, and noise looks like an unknown version three times of four.
 */
const NEGOTIATIONS_PER_SECOND = 200;

/** Refusals per second; a client that gets none asks again, and later. */
const REFUSALS_PER_SECOND = 1_000;

/** What the gate needs to know of the server, now. */
export interface GateState {
  /** Why no connection may begin, or null; a metric label. */
  refusal(): string | null;
  /** Handshakes under way. */
  handshakeCount(): number;
}

export interface GateLimits {
  /** From as many handshakes under way on, clients must prove their address first (Retry). */
  readonly retryAbove: number;
  /** From as many on, Initials are dropped: clients send them again. */
  readonly maxHandshakes: number;
}

/** What becomes of a long-header packet that belongs to no connection. */
export type Verdict =
  | { readonly kind: 'drop'; readonly reason: string }
  | { readonly kind: 'answer'; readonly label: string; readonly datagram: Buffer }
  | {
      readonly kind: 'refuse';
      readonly label: string;
      readonly datagram: Buffer;
      readonly reason: string;
    }
  | {
      readonly kind: 'accept';
      /** The id that the server answers with. */
      readonly id: Buffer;
      /** After a Retry: the destination id of the client's first Initial. */
      readonly originalId: Buffer | null;
    };

/** Decides about first packets, without any state per client (QUIC-NOTES.md, "Behaviour"). */
export class InitialGate {
  private readonly tokens: RetryTokens;
  private readonly negotiations: AnswerRate;
  private readonly refusals: AnswerRate;

  constructor(
    retryKey: Uint8Array,
    clock: Clock,
    private readonly ids: ConnectionIdSource,
    private readonly limits: GateLimits,
    private readonly state: GateState,
  ) {
    this.tokens = new RetryTokens(retryKey, clock);
    this.negotiations = new AnswerRate(NEGOTIATIONS_PER_SECOND, clock);
    this.refusals = new AnswerRate(REFUSALS_PER_SECOND, clock);
  }

  judge(header: LongHeader, datagram: Buffer, from: RemoteInfo): Verdict {
    // Answering shorter datagrams would make us an amplifier.
    if (datagram.length < MIN_INITIAL_DATAGRAM_BYTES || header.kind === 'negotiation') {
      return { kind: 'drop', reason: 'unknown_connection' };
    }
    if (header.version !== QUIC_V1) return this.negotiate(header);
    if (header.kind !== 'initial') return { kind: 'drop', reason: 'unknown_connection' };
    if (isRetryToken(header.token)) return this.judgeToken(header, from);
    // A client with a token of somewhere else is one without a token (RFC 9000 section 8.1.3).
    if (header.dcid.length < MIN_FIRST_ID_BYTES) return { kind: 'drop', reason: 'malformed' };
    const refusal = this.state.refusal();
    if (refusal !== null) return this.refuse(header, TransportError.ConnectionRefused, refusal);
    if (this.state.handshakeCount() >= this.limits.retryAbove) return this.retry(header, from);
    return { kind: 'accept', id: this.ids.next(), originalId: null };
  }

  /** A Retry token that proves nothing is never answered with another Retry (RFC 9000 section 8.1.2). */
  private judgeToken(header: LongHeader, from: RemoteInfo): Verdict {
    const originalId = this.tokens.open(from.address, from.port, header.token, header.dcid);
    if (originalId === null) {
      return this.refuse(header, TransportError.InvalidToken, 'invalid_token');
    }
    const refusal = this.state.refusal();
    if (refusal !== null) return this.refuse(header, TransportError.ConnectionRefused, refusal);
    if (this.state.handshakeCount() >= this.limits.maxHandshakes) {
      return { kind: 'drop', reason: 'too_many_handshakes' };
    }
    return { kind: 'accept', id: Buffer.from(header.dcid), originalId };
  }

  private refuse(header: LongHeader, code: number, reason: string): Verdict {
    if (!this.refusals.take()) return { kind: 'drop', reason };
    const datagram = initialClose(header.scid, header.dcid, code);
    return { kind: 'refuse', label: 'close', datagram, reason };
  }

  private negotiate(header: LongHeader): Verdict {
    if (!this.negotiations.take()) return { kind: 'drop', reason: 'unknown_version' };
    const datagram = Buffer.alloc(7 + header.dcid.length + header.scid.length + 64);
    const length = quiche.negotiateVersion(header.scid, header.dcid, datagram);
    const label = 'version_negotiation';
    return { kind: 'answer', label, datagram: datagram.subarray(0, length) };
  }

  private retry(header: LongHeader, from: RemoteInfo): Verdict {
    const id = this.ids.next();
    const token = this.tokens.mint(from.address, from.port, header.dcid, id);
    const datagram = Buffer.alloc(MAX_SEND_DATAGRAM_BYTES);
    const length = quiche.retry(header.scid, header.dcid, id, token, header.version, datagram);
    return { kind: 'answer', label: 'retry', datagram: datagram.subarray(0, length) };
  }
}
