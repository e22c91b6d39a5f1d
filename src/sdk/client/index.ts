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
export type { Transport } from './core/transport.js';
export type {
  ClientEvents,
  ClientState,
  Closed,
  Connected,
  Disconnected,
  Notice,
  Reconnecting,
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
