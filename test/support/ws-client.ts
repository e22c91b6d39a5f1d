import { once } from 'node:events';
import type { Socket } from 'node:net';
import protobuf from 'protobufjs';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { SystemClock } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { binaryCodec } from '../../src/websocket/ws-codec.js';
import type { WsCodec } from '../../src/websocket/ws-codec.js';
import { WsLink } from '../../src/websocket/ws-link.js';
import { WriteTurn } from '../../src/websocket/ws-write-turn.js';

const clock = new SystemClock();
const wheel = new TimerWheel(clock, 100);
const turn = new WriteTurn();

const root = protobuf.loadSync('proto/message.proto');
root.resolveAll();
const request = root.lookupType('ClientRequest');
const push = root.lookupType('ServerPush');

/** The member of a push that holds its payload, and the payload's message. */
const payloads: Readonly<Record<string, protobuf.Type>> = {
  startResponse: root.lookupType('StartResponse'),
  heartbeatResponse: root.lookupType('HeartbeatResponse'),
  businessResponse: root.lookupType('BusinessResponse'),
  errorMessage: root.lookupType('ErrorMessage'),
};

/** Subprotocol gatesvr.json as a client speaks it, by protobufjs's own idea of JSON. */
export const jsonClientCodec: WsCodec = {
  transport: 'websocket_json',
  encode: (frame) => {
    const message = request.decode(frame.subarray(4));
    return JSON.stringify(
      request.toObject(message, { longs: String, enums: String, bytes: String }),
    );
  },
  decode: (text) => {
    const json = JSON.parse(text.toString('utf8')) as Record<string, object>;
    const member = Object.keys(payloads).find((name) => name in json);
    if (member === undefined) return push.encode(push.fromObject(json)).finish();
    const type = payloads[member] as protobuf.Type;
    const payload = type.encode(type.fromObject(json[member] as object)).finish();
    return push.encode(push.fromObject({ ...json, payload })).finish();
  },
};

/** The codec of a client for each subprotocol. */
const codecs: Readonly<Record<string, WsCodec>> = {
  gatesvr: binaryCodec,
  'gatesvr.json': jsonClientCodec,
};

/** Opens a WebSocket; `socket` is the TLS socket below it. */
export async function openWebSocket(
  port: number,
  subprotocol: string,
  options: ClientOptions = {},
): Promise<{ webSocket: WebSocket; socket: Socket }> {
  const url = `wss://127.0.0.1:${port}/gatesvr`;
  const webSocket = new WebSocket(url, subprotocol, { rejectUnauthorized: false, ...options });
  let socket: Socket | null = null;
  webSocket.once('upgrade', (response) => (socket = response.socket));
  await once(webSocket, 'open');
  return { webSocket, socket: socket as unknown as Socket };
}

/** A client's Link over WebSocket. */
export async function openWsLink(
  port: number,
  subprotocol: string,
  options: ClientOptions = {},
): Promise<{ link: WsLink; webSocket: WebSocket }> {
  // Frames may come before whoever asked is back: the Link must be there at once.
  const url = `wss://127.0.0.1:${port}/gatesvr`;
  const webSocket = new WebSocket(url, subprotocol, { rejectUnauthorized: false, ...options });
  let socket: Socket | null = null;
  webSocket.once('upgrade', (response) => (socket = response.socket));
  const link = await new Promise<WsLink>((resolve, reject) => {
    webSocket.once('error', reject);
    webSocket.once('open', () => {
      webSocket.off('error', reject);
      const codec = codecs[subprotocol] ?? binaryCodec;
      resolve(
        new WsLink(webSocket, socket as unknown as Socket, {
          codec,
          remoteAddress: `127.0.0.1:${port}`,
          clock,
          wheel,
          turn,
          liveness: { interval: 25_000, limit: 10_000 },
        }),
      );
    });
  });
  return { link, webSocket };
}
