/** The rules' numbers (docs/SESSIONS.md). Times in ms, sizes in bytes. */
export interface SessionOptions {
  /** An active session without any client frame for so long is closed. */
  readonly sessionTimeout: number;
  /** Life of a detached session. */
  readonly resumeWindow: number;
  /** Active and detached sessions together; beyond it the oldest empty detached one goes, else 503. */
  readonly maxSessions: number;
  /** Links that are open at once; beyond it they are closed with 503, but for those that take another one's place. */
  readonly maxConnections: number;
  /** Links beyond that whose START is waited for. */
  readonly surplusConnections: number;
  /** A Link that has not sent START for so long is closed. */
  readonly authTimeout: number;
  /** How long a session goes on after its client's token ran out, unless a START brings a new one. */
  readonly authGrace: number;
  /** Told to clients in START_RESP. */
  readonly heartbeatInterval: number;
  /** Business requests of one session that may await their answer; at the limit its Link is not read. */
  readonly maxInFlight: number;
  readonly outboxMaxFrames: number;
  readonly outboxMaxBytes: number;
  /** All sessions together; pushes beyond it are refused. */
  readonly outboxTotalBytes: number;
  /** With maxRetries: a frame unacknowledged for ackTimeout x (maxRetries + 1) on one Link closes that Link. */
  readonly ackTimeout: number;
  readonly maxRetries: number;
  /** When a push does not fit: only refuse it, or also close the Link so that the client resumes. */
  readonly slowConsumer: 'refuse' | 'close';
  /** The action that must be answered with 200 before any other is forwarded; empty: none. */
  readonly loginAction: string;
  /** How long pushes wait for an openid without a session; 0: not at all. */
  readonly offlineTtl: number;
  /** Per openid. */
  readonly offlineMaxFrames: number;
  /** All openids together. */
  readonly offlineMaxBytes: number;
}

/**
 * Pushes may fill this share of the outbox; the rest is kept for answers (docs/SESSIONS.md, "Downstream:
 * answers and pushes").
 */
export const PUSH_SHARE = 0.9;
