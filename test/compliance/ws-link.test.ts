import { afterAll, beforeAll } from '@jest/globals';
import type { WebSocket } from 'ws';
import type { Link } from '../../src/link/link.js';
import { MAX_FRAME_BYTES } from '../../src/wire/limits.js';
import { ServerPush, decodeMessage, encodeMessage } from '../../src/wire/messages.js';
import { openWsLink } from '../support/ws-client.js';
import { WsHarness } from '../support/ws-harness.js';
import { linkSuite } from './link-suite.js';
import type { Carriage, ConnectLink, RawMessages } from './link-suite.js';

let plain: WsHarness;
let compressing: WsHarness;
let acceptor: ((link: Link) => void) | null = null;

beforeAll(async () => {
  const accept = (link: Link): void => acceptor?.(link);
  plain = await WsHarness.start({ accept });
  compressing = await WsHarness.start({ accept, compression: true });
});

afterAll(async () => {
  await plain.close();
  await compressing.close();
});

function connectTo(
  harness: () => WsHarness,
  subprotocol: string,
  raw: (webSocket: WebSocket) => RawMessages,
): ConnectLink {
  return async (accept) => {
    acceptor = accept;
    const { link, webSocket } = await openWsLink(harness().server.port, subprotocol);
    return {
      client: link,
      raw: raw(webSocket),
      release: async () => {
        const closed = new Promise((done) => webSocket.once('close', done));
        if (webSocket.readyState === webSocket.CLOSED) return;
        webSocket.terminate();
        await closed;
      },
    };
  };
}

/** Sends one message in fragments of growing size. */
function sendInFragments(webSocket: WebSocket, message: Uint8Array, binary: boolean): void {
  let at = 0;
  for (let size = 1; at + size < message.length; size = (size * 7 + 3) % 611) {
    webSocket.send(message.subarray(at, at + size), { fin: false, binary });
    at += size;
  }
  webSocket.send(message.subarray(at), { binary });
}

const binary = (webSocket: WebSocket): RawMessages => ({
  send: (body) => sendInFragments(webSocket, body, true),
  sendTooLong: () => webSocket.send(Buffer.alloc(MAX_FRAME_BYTES + 1)),
});

/** A JSON text is a ClientRequest or a ServerPush: both have bytes in field 4, which carry a body. */
const payload: Carriage = {
  wrap: (body) => encodeMessage(ServerPush, { payload: body }),
  unwrap: (frame) => Buffer.from(decodeMessage(ServerPush, frame).payload),
  // The text holds base64 and a few names.
  largest: Math.floor((MAX_FRAME_BYTES * 3) / 4) - 100,
};

const json = (webSocket: WebSocket): RawMessages => ({
  send: (body) => {
    const base64 = payload.unwrap(Buffer.from(body)).toString('base64');
    const text = body.length === 0 ? '{}' : JSON.stringify({ payload: base64 });
    sendInFragments(webSocket, Buffer.from(text), false);
  },
  sendTooLong: () => webSocket.send(`"${'x'.repeat(MAX_FRAME_BYTES)}"`),
});

linkSuite(
  'WebSocket',
  connectTo(() => plain, 'gatesvr', binary),
);
linkSuite(
  'WebSocket, compressed',
  connectTo(() => compressing, 'gatesvr', binary),
);
linkSuite(
  'WebSocket, JSON',
  connectTo(() => plain, 'gatesvr.json', json),
  payload,
);
