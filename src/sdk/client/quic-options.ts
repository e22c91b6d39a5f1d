import type { TlsOptions } from './gateway-address.js';

export interface QuicTransportOptions extends TlsOptions {
  /** How long the path may be silent before the connection is given up, ms. Default 60,000. */
  readonly idleTimeoutMs?: number;
  /** What createQuicClient made: thousands of clients over one socket. Its trust and limits apply. */
  readonly shared?: SharedQuicClient;
}

/** What createQuicClient makes: one UDP socket that many transports share. */
export interface SharedQuicClient {
  /** Moves all connections to another local port, as a change of network does. */
  rebind(): Promise<void>;
  /** Closes all connections and the socket. */
  stop(): Promise<void>;
}

/** Of a client to share; `shared` would be another one. */
export interface QuicClientSettings extends Omit<QuicTransportOptions, 'shared'> {
  /** How long a handshake may take, ms. Default 10,000; a GatewayClient's own timeouts go before it. */
  readonly handshakeTimeoutMs?: number;
}
