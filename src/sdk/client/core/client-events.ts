import type { GatewayClientError } from './errors.js';
import type { Push } from './payload.js';

/** idle: connect() was not called or gave up; reconnecting: the session waits at the gateway. */
export type ClientState =
  'idle' | 'connecting' | 'connected' | 'reconnecting' | 'stopping' | 'closed';

/** A session is under way. */
export interface Connected {
  readonly address: string;
  /** `quic` or `websocket`; in browsers `webtransport` or `websocket`. */
  readonly transport: string;
  readonly sessionId: string;
  /** The same session as before: requests in flight go on. */
  readonly resumed: boolean;
  /** Nothing sent since the last connection is missing. */
  readonly recovered: boolean;
}

/** Messages may have been lost between the last connection and this one. */
export interface Unrecovered {
  readonly sessionId: string;
  readonly resumed: boolean;
  /** The last number received before. */
  readonly lastReceived: number;
  /** The first number that comes now; 0 where the gateway does not tell. */
  readonly nextPush: number;
}

export interface Disconnected {
  /** The gateway's code, 0 for a plain loss. */
  readonly code: number;
  readonly reason: string;
  readonly willReconnect: boolean;
}

/** An attempt to connect begins. */
export interface Connecting {
  readonly address: string;
  /** That of the last `reconnecting`, 0 for the first attempt of all. */
  readonly attempt: number;
}

/** The session goes on after a loss: follows `connected`. */
export interface Resumed {
  readonly sessionId: string;
  /** Nothing sent since the last connection is missing. */
  readonly recovered: boolean;
}

export interface Reconnecting {
  /** Counts up from 1 until a connection held. */
  readonly attempt: number;
  /** Until the attempt begins, ms. */
  readonly delay: number;
  readonly address: string;
}

/** The gateway drains and asked the client to come back later, or elsewhere. */
export interface Moving {
  /** Until the client reconnects, ms; requests made meanwhile wait. */
  readonly delay: number;
}

/** The token ran out; the client asks its token source for another and presents it by itself. */
export interface TokenExpired {
  readonly message: string;
}

/** A message of the gateway itself about the session. */
export interface Notice {
  readonly code: number;
  readonly message: string;
  readonly detail: string;
}

/** The client is done; no event follows. */
export interface Closed {
  readonly reason: 'stopped' | 'closed' | 'refused' | 'replaced';
  /** Why, where it was not the application's wish. */
  readonly error: GatewayClientError | null;
}

export interface ClientEvents {
  connecting: Connecting;
  connected: Connected;
  resumed: Resumed;
  unrecovered: Unrecovered;
  disconnected: Disconnected;
  reconnecting: Reconnecting;
  push: Push;
  notice: Notice;
  moving: Moving;
  token_expired: TokenExpired;
  closed: Closed;
  error: GatewayClientError;
}
