export { GatewayClient } from './gateway-client.js';
export type { GatewayClientOptions, TransportName } from './gateway-client.js';
export { WebTransportTransport } from './web-transport.js';
export type { WebTransportOptions } from './web-transport.js';
export { WebSocketTransport } from './web-socket.js';
export type { WebSocketOptions } from './web-socket.js';
export type { Platform } from './platform.js';
export { SessionStorageStore } from './session-storage-store.js';
export * from '../client/core/index.js';
