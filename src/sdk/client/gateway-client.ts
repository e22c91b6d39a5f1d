import { FallbackTransport } from './core/fallback-transport.js';
import { GatewayClientCore } from './core/gateway-client-core.js';
import { HoldingClock } from './core/holding-clock.js';
import type { CoreClientOptions } from './core/options.js';
import type { Transport } from './core/transport.js';
import { checkAddresses, checkTrust } from './gateway-address.js';
import { QuicTransport } from './quic-transport.js';
import type { QuicTransportOptions } from './quic-options.js';
import { WebSocketTransport } from './websocket-transport.js';
import type { WebSocketTransportOptions } from './websocket-transport.js';

/** `auto`: QUIC, and WebSocket where that does not get through; the session moves between them. */
export type TransportName = 'quic' | 'websocket' | 'auto';

export interface GatewayClientOptions
  extends CoreClientOptions, QuicTransportOptions, WebSocketTransportOptions {
  /** How to reach the gateway, or a transport of one's own. Default `quic`. */
  readonly transport?: TransportName | Transport;
}

/** With two transports after each other, one attempt takes longer than with one alone, ms. */
const AUTO_OPEN_TIMEOUT_MS = 8_000;

/**
 * The gateway's client for Node, over QUIC, WebSocket, or whichever gets through:
 *
 *     const client = new GatewayClient({ address: 'gateway.example:8453', openid: 'alice', token });
 *     client.onPush((push) => console.log(push.type, push.content));
 *     await client.connect();
 *     const answer = await client.request('echo', { data: 'hello' });
 *     await client.stop();
 */
export class GatewayClient extends GatewayClientCore {
  /** @throws {RangeError} that names the option which cannot be. */
  constructor(options: GatewayClientOptions) {
    const openTimeoutMs = options.transport === 'auto' ? AUTO_OPEN_TIMEOUT_MS : undefined;
    const patience = openTimeoutMs === undefined ? {} : { openTimeoutMs };
    super({ ...patience, ...options }, transportOf(options));
  }
}

function transportOf(options: GatewayClientOptions): Transport {
  const { transport = 'quic' } = options;
  if (typeof transport !== 'string') return transport;
  checkAddresses(options);
  checkTrust(options);
  switch (transport) {
    case 'quic':
      return new QuicTransport(options);
    case 'websocket':
      return new WebSocketTransport(options);
    case 'auto': {
      const clock = options.clock ?? new HoldingClock();
      const [quic, webSocket] = [new QuicTransport(options), new WebSocketTransport(options)];
      return new FallbackTransport(quic, webSocket, { clock });
    }
    default:
      throw new RangeError(
        `transport ${String(transport)}; it must be quic, websocket, auto or an object`,
      );
  }
}
