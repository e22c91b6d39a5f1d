/** What clients are used by, whatever they run in. */
export { FallbackTransport } from './fallback-transport.js';
export type { RequestOptions } from './gateway-client-core.js';
export type { TokenSource } from './options.js';
export type { StopReason } from './request-frames.js';
export type { ClientMetrics, RequestOutcomeName } from './client-metrics.js';
export type { AckMode } from './delivery.js';
export type { PushesOptions } from './push-iterator.js';
export { ResumeStoreError } from './resume-store.js';
export type { ResumeState, ResumeStore } from './resume-store.js';
export type { Transport } from './transport.js';
export type {
  ClientEvents,
  ClientState,
  Closed,
  Connected,
  Connecting,
  Disconnected,
  Moving,
  Notice,
  Reconnecting,
  Resumed,
  TokenExpired,
  Unrecovered,
} from './client-events.js';
export { Answer, Push } from './payload.js';
export {
  ClientClosedError,
  ConnectError,
  ConnectionError,
  GatewayClientError,
  ListenerError,
  OutcomeUnknownError,
  PushGapError,
  RequestAbortedError,
  RequestQueueFullError,
  RequestRefusedError,
  RequestTimeoutError,
  RequestTooLargeError,
  SessionRefusedError,
  SessionReplacedError,
} from './errors.js';
export type { ClientErrorCode } from './errors.js';
