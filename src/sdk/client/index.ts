export { GatewayClient } from './gateway-client.js';
export type { GatewayClientOptions, TransportName } from './gateway-client.js';
export { WebSocketTransport } from './websocket-transport.js';
export type { WebSocketTransportOptions } from './websocket-transport.js';
export { QuicTransport, createSharedQuicClient as createQuicClient } from './quic-transport.js';
export type { QuicClientSettings, QuicTransportOptions, SharedQuicClient } from './quic-options.js';
export { FileResumeStore } from './file-resume-store.js';
export * from './core/index.js';
