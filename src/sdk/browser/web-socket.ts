import { formatAddress } from '../../base/address.js';
import type { Clock } from '../../base/clock.js';
import type { Link } from '../../link/link.js';
import { BINARY_SUBPROTOCOL, WS_PATH } from '../../websocket/ws-endpoint.js';
import { HoldingClock } from '../client/core/holding-clock.js';
import type { PathProbe, Transport } from '../client/core/transport.js';
import { targetOf } from '../client/gateway-address.js';
import { thisPlatform } from './platform.js';
import type { Platform } from './platform.js';
import { WebSocketLink } from './web-socket-link.js';

/**
 * A message shows only when it is whole, so that silence proves less than elsewhere: the largest frame
 * takes about so long over 1 Mbit/s, ms.
 */
const SILENCE_MS = 9_000;

export interface WebSocketOptions {
  /** The gateways' TCP port for WebSocket, where it is not the port of their addresses. */
  readonly webSocketPort?: number;
  /** `ws://` instead of `wss://`: for a proxy without TLS on the own machine. */
  readonly insecureWebSocket?: boolean;
  /** For tests. */
  readonly platform?: Platform;
}

/** Reaches the gateway over the browser's WebSocket: for networks that let no UDP through. */
export class WebSocketTransport implements Transport {
  readonly name = 'WebSocket';
  private readonly clock: Clock = new HoldingClock();
  private readonly platform: Platform;

  constructor(private readonly options: WebSocketOptions = {}) {
    this.platform = options.platform ?? thisPlatform();
  }

  open(address: string, signal: AbortSignal): Promise<Link> {
    const { webSocketPort, insecureWebSocket = false } = this.options;
    const { host, port } = targetOf(address);
    const where = formatAddress(host, webSocketPort ?? port);
    return this.connect(`${insecureWebSocket ? 'ws' : 'wss'}://${where}${WS_PATH}`, where, signal);
  }

  probe(): PathProbe {
    return { silenceMs: SILENCE_MS };
  }

  private connect(url: string, where: string, signal: AbortSignal): Promise<Link> {
    const { WebSocket } = this.platform;
    if (WebSocket === undefined) return Promise.reject(new Error('there is no WebSocket here'));
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, [BINARY_SUBPROTOCOL]);
      socket.binaryType = 'arraybuffer';
      const fail = (): void => {
        signal.removeEventListener('abort', onAbort);
        // Browsers keep the reason to their console, for a page might probe networks with it.
        reject(new Error(`no WebSocket to ${where}`));
      };
      const onAbort = (): void => {
        socket.close();
        fail();
      };
      socket.onclose = fail;
      // Chromium tells of one that the page's Content-Security-Policy forbids by this alone.
      socket.onerror = fail;
      socket.onopen = () => {
        signal.removeEventListener('abort', onAbort);
        socket.onerror = null;
        resolve(new WebSocketLink(socket, where, this.clock));
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
