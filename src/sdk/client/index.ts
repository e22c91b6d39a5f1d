export { GatewayClient } from './gateway-client.js';
export type { GatewayClientOptions, TransportName } from './gateway-client.js';
export { WebSocketTransport } from './websocket-transport.js';
export type { WebSocketTransportOptions } from './websocket-transport.js';
export { FallbackTransport } from './core/fallback-transport.js';
export { QuicTransport, createQuicClient } from './quic-transport.js';
export type { QuicTransportOptions } from './quic-transport.js';
export type { RequestOptions } from './core/gateway-client-core.js';
export type { TokenSource } from './core/options.js';
export type { StopReason } from './core/request-frames.js';
export type { ClientMetrics, RequestOutcomeName } from './core/client-metrics.js';
export type { AckMode } from './core/delivery.js';
export type { PushesOptions } from './core/push-iterator.js';
export { ResumeStoreError } from './core/resume-store.js';
export type { ResumeState, ResumeStore } from './core/resume-store.js';
export { FileResumeStore } from './file-resume-store.js';
export type { Transport } from './core/transport.js';
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
} from './core/client-events.js';
export { Answer, Push } from './core/payload.js';
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
} from './core/errors.js';
export type { ClientErrorCode } from './core/errors.js';
