import { FallbackTransport } from '../client/core/fallback-transport.js';
import { GatewayClientCore } from '../client/core/gateway-client-core.js';
import { HoldingClock } from '../client/core/holding-clock.js';
import type { CoreClientOptions } from '../client/core/options.js';
import type { Transport } from '../client/core/transport.js';
import { checkAddresses } from '../client/gateway-address.js';
import { watchPage } from './page-events.js';
import { thisPlatform } from './platform.js';
import type { Platform } from './platform.js';
import { RememberedTransport } from './remembered-transport.js';
import { SessionStorageStore } from './session-storage-store.js';
import { WebSocketTransport } from './web-socket.js';
import type { WebSocketOptions } from './web-socket.js';
import { WebTransportTransport } from './web-transport.js';
import type { WebTransportOptions } from './web-transport.js';

/** `auto`: WebTransport, and WebSocket where that does not get through; the session moves between them. */
export type TransportName = 'webtransport' | 'websocket' | 'auto';

export interface GatewayClientOptions
  extends CoreClientOptions, WebTransportOptions, WebSocketOptions {
  /** How to reach the gateway, or a transport of one's own. Default `auto`. */
  readonly transport?: TransportName | Transport;
  /**
   * Whether the session outlives a reload of the page, in sessionStorage; with `store` it is kept
   * there. Default true.
   */
  readonly keepSession?: boolean;
}

/** With two transports after each other, one attempt takes longer than with one alone, ms. */
const AUTO_OPEN_TIMEOUT_MS = 8_000;

/**
 * The gateway's client for pages, over WebTransport, WebSocket, or whichever gets through:
 *
 *     const client = new GatewayClient({ address: 'gateway.example:8453', openid: 'alice', token });
 *     client.onPush((push) => console.log(push.type, push.content));
 *     await client.connect();
 *     const answer = await client.request('echo', { data: 'hello' });
 *
 * All else is as in Node (`gatesvr/client`), and it follows the page: back online or visible, it
 * reconnects at once, or makes sure that its connection still lives.
 */
export class GatewayClient extends GatewayClientCore {
  /** @throws {RangeError} that names the option which cannot be. */
  constructor(options: GatewayClientOptions) {
    const { platform = thisPlatform(), transport = 'auto' } = options;
    const patience = transport === 'auto' ? { openTimeoutMs: AUTO_OPEN_TIMEOUT_MS } : {};
    super(
      { ...patience, ...keeping(options, platform), ...options },
      transportOf(options, platform),
    );
    const unwatch = watchPage(platform, () => this.wake());
    this.on('closed', unwatch);
  }
}

function keeping(options: GatewayClientOptions, platform: Platform): Partial<CoreClientOptions> {
  if (options.keepSession === false) return {};
  const { openid, address = '', addresses = [address] } = options;
  return { store: new SessionStorageStore(platform, openid, addresses) };
}

function transportOf(options: GatewayClientOptions, platform: Platform): Transport {
  const { transport = 'auto' } = options;
  if (typeof transport !== 'string') return transport;
  checkAddresses(options);
  switch (transport) {
    case 'webtransport':
      return new WebTransportTransport(options);
    case 'websocket':
      return new WebSocketTransport(options);
    case 'auto': {
      const clock = options.clock ?? new HoldingClock();
      const memory = new RememberedTransport(platform, () => clock.wallTime());
      const quic = new WebTransportTransport(options);
      return new FallbackTransport(quic, new WebSocketTransport(options), { clock, memory });
    }
    default:
      throw new RangeError(
        `transport ${String(transport)}; it must be webtransport, websocket, auto or an object`,
      );
  }
}
