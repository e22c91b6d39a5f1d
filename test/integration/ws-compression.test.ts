import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Link } from '../../src/link/link.js';
import { RecordingObserver } from '../compliance/recording-observer.js';
import { WsHarness } from '../support/ws-harness.js';

let harness: WsHarness;
const sockets: Socket[] = [];

beforeAll(async () => {
  const accept = (link: Link) => new RecordingObserver(link);
  harness = await WsHarness.start({ accept, compression: true });
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await harness.close();
});

/** The extensions that the gateway takes of an offer: '' where it goes on without. */
async function taken(offer: string): Promise<string> {
  const upgrade = request({
    host: '127.0.0.1',
    port: harness.server.port,
    path: '/gatesvr',
    rejectUnauthorized: false,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'gatesvr',
      'Sec-WebSocket-Extensions': offer,
    },
  });
  upgrade.on('socket', (socket) => sockets.push(socket));
  const answers = [once(upgrade, 'upgrade'), once(upgrade, 'response')];
  upgrade.end();
  const [answer] = (await Promise.race(answers)) as [IncomingMessage];
  return answer.statusCode === 101
    ? (answer.headers['sec-websocket-extensions'] ?? '')
    : `refused with ${answer.statusCode}`;
}

describe('an offer of permessage-deflate', () => {
  it.each([
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate ; client_max_window_bits="9" ;server_max_window_bits=11',
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    'permessage-deflate; server_max_window_bits=9, permessage-deflate',
    'other; a="b", permessage-deflate; server_max_window_bits=15',
  ])('%s: is taken', async (offer) => {
    expect(await taken(offer)).toContain('permessage-deflate; ');
  });

  it.each([
    ['a smaller window than the gateway has', 'server_max_window_bits=10'],
    ['the smallest window', 'client_max_window_bits; server_max_window_bits=8'],
    ['a window that there is not', 'server_max_window_bits=16'],
    ['a window without its size', 'server_max_window_bits'],
    ['a value where none belongs', 'server_no_context_takeover=1'],
    ['the same parameter twice', 'client_max_window_bits; client_max_window_bits=9'],
    ['spaces within a parameter', 'client_max_window_bits = 9'],
    ['an empty parameter', ''],
    ['a parameter of later times', 'window_of_the_future=3'],
  ])('with %s: is declined, and the WebSocket goes without', async (_what, parameters) => {
    expect(await taken(`permessage-deflate; ${parameters}`)).toBe('');
  });
});
