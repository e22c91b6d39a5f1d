import type { Clock } from '../base/clock.js';
import type { CallerTls } from './caller-tls.js';
import type { CarriedCall } from './carried-call.js';

/** One HTTP/2 connection to an upstream, as the caller that owns it sees it. */
export interface CallConnection {
  /** Whether a call can be sent now: the peer's SETTINGS have come and allow one more stream. */
  readonly open: boolean;
  /** The peer's SETTINGS have come. */
  readonly ready: boolean;
  /** It is going away, or gone: nothing more is sent on it. */
  readonly leaving: boolean;
  /**
   * Sends a call on a stream of its own.
   * @returns false where the connection turned out to be going away: the call surely was not sent.
   */
  send(call: CarriedCall): boolean;
  /** Ends it now; the calls under way fail with UNAVAILABLE. Idempotent. */
  destroy(reason: string): void;
}

/** What a connection tells its owner. Nothing but `onLeaving` is called from within `send`. */
export interface ConnectionOwner {
  /** The peer's SETTINGS have come, calls may be sent. */
  onReady(connection: CallConnection): void;
  /** A stream has ended, so that there may be room for a call that waits. */
  onRoom(connection: CallConnection): void;
  /** The peer says GOAWAY: what is under way is finished, nothing more is sent. */
  onLeaving(connection: CallConnection): void;
  /** The peer says that it never looked at this call, by GOAWAY or by REFUSED_STREAM. */
  onReturned(call: CarriedCall): void;
  /** It is gone, once; the calls that it carried have their outcome. */
  onClosed(connection: CallConnection, reason: string): void;
}

/** Where and how to connect. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  /** `:authority` of requests, `host:port`. */
  readonly authority: string;
  /** null: plaintext, HTTP/2 with prior knowledge. */
  readonly tls: CallerTls | null;
  /** Metadata `authorization` of every call, or none. */
  readonly authorization: string | null;
  readonly clock: Clock;
  /** Ping after so many ms of silence while calls are under way. */
  readonly keepaliveMs: number;
  /** How long the answer to a ping may take, ms; undefined: PING_TIMEOUT_MS. */
  readonly pingTimeoutMs?: number | undefined;
  /** Largest message received, bytes: what one stream may have under way. */
  readonly maxMessageBytes: number;
}

/** Begins to connect; every outcome is told later. */
export type Connector = (target: ConnectionTarget, owner: ConnectionOwner) => CallConnection;
