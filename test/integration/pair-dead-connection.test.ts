import { afterEach, expect, test } from '@jest/globals';
import { UnicastPushRequest } from '../../src/wire/messages.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { eventually } from '../support/quic-harness.js';

const PUSH = new UnicastPushRequest({
  targetType: 'openid',
  targetId: 'away',
  content: 'for later',
});
let pair: GatewayPair | null = null;

afterEach(() => pair?.close());

test.each(['framed', 'http2', 'grpc-js'])(
  'a stream whose connection died without a word begins again, by %s',
  async (caller) => {
    const both = (pair = new GatewayPair({
      'grpc.caller': caller,
      'session.offline_ttl': '10m',
    }));
    await both.start();

    both.relays.a.sync.stall(true);
    const kept = new Promise((done) => both.a.sessions.pushes.push(PUSH, done));
    expect(await kept).toMatchObject({ success: true });
    expect(both.b.pair?.stats?.position).toBeLessThan(Number(both.a.pair?.stats?.position));

    await eventually(
      () => both.b.pair?.stats?.position === both.a.pair?.stats?.position,
      'the backup to have everything again',
    );
  },
);
