import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { formatAddress } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { separatePem } from '../base/pem.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import { MAX_FRAME_BYTES } from '../wire/limits.js';
import { binaryCodec } from './ws-codec.js';
import { BINARY_SUBPROTOCOL, WS_PATH } from './ws-endpoint.js';
import { WsLink } from './ws-link.js';
import type { LivenessOptions } from './ws-liveness.js';
import type { WriteTurn } from './ws-write-turn.js';

/** Where a WebSocket goes and what it trusts. */
export interface WsTarget {
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must bear; default: the host. */
  readonly serverName?: string;
  /** PEM of the authorities to trust; default: those that Node trusts. */
  readonly ca?: string | Uint8Array;
  /** Whether the certificate is checked. */
  readonly verify: boolean;
}

/** What the Links of one process share. */
export interface WsSurroundings {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly turn: WriteTurn;
  readonly liveness: LivenessOptions;
}

/** A client's open WebSocket. */
export interface WsConnected {
  readonly link: WsLink;
  /** Bytes that ever came, pongs among them. */
  readonly arrivals: () => number;
}

/**
 * Opens a WebSocket to a gateway, binary subprotocol, and makes it a Link.
 * @param signal ends the attempt.
 * @throws {Error} naming the address and what kept it from coming about.
 */
export function connectWebSocket(
  target: WsTarget,
  surroundings: WsSurroundings,
  signal: AbortSignal,
): Promise<WsConnected> {
  const { host, port, serverName, ca, verify } = target;
  const address = formatAddress(host, port);
  const webSocket = new WebSocket(`wss://${address}${WS_PATH}`, BINARY_SUBPROTOCOL, {
    rejectUnauthorized: verify,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    ...(ca === undefined ? {} : { ca: separatePem(ca) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  return new Promise<WsConnected>((resolve, reject) => {
    let socket: Socket | null = null;
    const onAbort = (): void => webSocket.terminate();
    const done = (): void => signal.removeEventListener('abort', onAbort);
    const onError = (error: Error): void => {
      done();
      reject(new Error(`no WebSocket to ${address}: ${messageOf(error)}`, { cause: error }));
    };
    webSocket.on('error', onError);
    webSocket.once('upgrade', (response) => (socket = response.socket));
    webSocket.once('open', () => {
      done();
      webSocket.off('error', onError);
      const below = socket as unknown as Socket;
      // At once: frames may follow the upgrade in the same read, and the Link holds them.
      const options = { codec: binaryCodec, remoteAddress: address, ...surroundings };
      const link = new WsLink(webSocket, below, options);
      resolve({ link, arrivals: () => below.bytesRead });
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
