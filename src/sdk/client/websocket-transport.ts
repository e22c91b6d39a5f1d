import { SystemClock } from '../../base/clock.js';
import { TimerWheel } from '../../base/timer-wheel.js';
import type { Link } from '../../link/link.js';
import { connectWebSocket } from '../../websocket/ws-connect.js';
import type { WsSurroundings } from '../../websocket/ws-connect.js';
import { WriteTurn } from '../../websocket/ws-write-turn.js';
import type { PathProbe, Transport } from './core/transport.js';
import { targetOf } from './gateway-address.js';
import type { TlsOptions } from './gateway-address.js';

/** As the gateway's defaults (docs/CONFIGURATION.md, `websocket.*`), ms. */
const LIVENESS = { interval: 25_000, limit: 10_000 };

/** Resolution of the wheel, ms: its timers are tens of seconds. */
const TICK_MS = 500;

export interface WebSocketTransportOptions extends TlsOptions {
  /** The gateways' TCP port for WebSocket, where it is not the port of their addresses. */
  readonly webSocketPort?: number;
}

/** One for all WebSockets of the process: timers and writes are gathered. */
const clock = new SystemClock();
const surroundings: WsSurroundings = {
  clock,
  wheel: new TimerWheel(clock, TICK_MS),
  turn: new WriteTurn(),
  liveness: LIVENESS,
};

/** Reaches the gateway over WebSocket and TLS: for networks that let no UDP through. */
export class WebSocketTransport implements Transport {
  readonly name = 'WebSocket';
  private readonly probes = new WeakMap<Link, PathProbe>();

  constructor(private readonly options: WebSocketTransportOptions = {}) {}

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const { webSocketPort, insecure = false, ca } = this.options;
    const target = targetOf(address, this.options.serverName);
    const { link, arrivals } = await connectWebSocket(
      {
        ...target,
        port: webSocketPort ?? target.port,
        verify: !insecure,
        ...(ca === undefined ? {} : { ca }),
      },
      surroundings,
      signal,
    );
    this.probes.set(link, { ping: () => link.ping(), arrivals });
    return link;
  }

  probe(link: Link): PathProbe | undefined {
    return this.probes.get(link);
  }
}
