/** The limits of overload_protection that sessions enforce. Times in ms; Infinity or 0: no limit. */
export interface OverloadOptions {
  /** Business requests per second, averaged over the window; beyond it they are answered 503. */
  readonly maxQps: number;
  readonly qpsWindow: number;
  /** Requests per second from which on a warning is logged. */
  readonly qpsWarning: number;
  /** Open connections from which on a warning is logged. */
  readonly connectionWarning: number;
  /** Business requests per second of one session; beyond it they are answered 429. */
  readonly sessionQps: number;
  /** Requests that one session may send at once after a quiet time. */
  readonly sessionBurst: number;
  /** Open connections of one address (an IPv6 /64 counts as one). */
  readonly addressConnections: number;
  /** New connections per second of one address. */
  readonly addressConnectionRate: number;
  /** Event-loop delay above which new connections are refused. */
  readonly maxEventLoopDelay: number;
}

/** Nothing is limited; requests are still counted. */
export const NO_LIMITS: OverloadOptions = {
  maxQps: Infinity,
  qpsWindow: 10_000,
  qpsWarning: Infinity,
  connectionWarning: Infinity,
  sessionQps: 0,
  sessionBurst: 0,
  addressConnections: 0,
  addressConnectionRate: 0,
  maxEventLoopDelay: 0,
};
