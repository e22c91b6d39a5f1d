/** Whom an upstream asks for. */
export interface ClientTarget {
  /** `session` or `openid`. */
  readonly targetType: string;
  readonly targetId: string;
}

/** What is known of a client's session. */
export interface ClientView {
  /** A connection serves it now. */
  readonly online: boolean;
  readonly sessionId: string;
  readonly openid: string;
  /** `001` to `006`, or the service that `routing.rules` give the openid. */
  readonly zone: string;
  /** `quic`, ...; of the present or last connection, as is the address. Empty before the first. */
  readonly transport: string;
  readonly remoteAddress: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** When the present or last connection took it over; 0 before the first. */
  readonly connectedAt: number;
  readonly lastActivity: number;
  /** Frames that the client has not acknowledged. */
  readonly pending: number;
}

/** Who is there; the session layer implements it. */
export interface ClientDirectory {
  /** Why another gateway must be asked, for a human; null where this one serves. */
  readonly elsewhere: string | null;
  /** @returns null where there is no session, connected or not. */
  find(target: ClientTarget): ClientView | null;
  /**
   * Ends a session: its client is told why (403, may not reconnect) and nothing of it is resumed.
   * @param reason shown to the client.
   * @returns the session's id, or null where there is none.
   */
  kick(target: ClientTarget, reason: string): string | null;
}
