import { FallbackTransport } from '../sdk/client/core/fallback-transport.js';
import { HoldingClock } from '../sdk/client/core/holding-clock.js';
import { GatewayClient } from '../sdk/browser/gateway-client.js';
import { WebSocketTransport } from '../sdk/browser/web-socket.js';
import { WebTransportTransport } from '../sdk/browser/web-transport.js';
import { Network } from './network.js';
import { byId } from './page.js';
import { Playground } from './playground.js';

/** What the server of this page tells about the gateway. */
interface Setup {
  readonly address: string;
  readonly webSocketPort: number;
  readonly insecureWebSocket: boolean;
  readonly certificateHashes: readonly string[];
}

const setup = (await (await fetch('playground/setup.json')).json()) as Setup;
const webtransport = new WebTransportTransport(setup);
const websocket = new WebSocketTransport(setup);
const clock = new HoldingClock();
const auto = new FallbackTransport(webtransport, websocket, { clock });
const network = new Network({ webtransport, websocket, auto });

const playground = new Playground(network, (openid) => {
  const { address } = setup;
  return new GatewayClient({ address, openid, transport: network, connectTimeoutMs: 0 });
});

/** The same after a reload, another in each tab. */
const known =
  sessionStorage.getItem('openid') ?? `visitor-${Math.floor(Math.random() * 9e5) + 1e5}`;
byId('openid', HTMLInputElement).value = known;
playground.connect();
