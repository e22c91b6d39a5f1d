import { afterEach, describe, expect, test } from '@jest/globals';
import type { Connector } from '../../src/grpc/call-connection.js';
import { FramedConnection } from '../../src/grpc/h2/framed-connection.js';
import { Http2Caller } from '../../src/grpc/http2-caller.js';
import { Http2Connection } from '../../src/grpc/http2-connection.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type { CallFailure } from '../../src/grpc/unary-caller.js';
import { FakeClock } from '../support/fake-clock.js';
import { RawHttp2Peer, setting, uint32 } from '../support/raw-http2-peer.js';
// Lets sockets work in real time; the fake clock stands still.
import { until } from '../support/until.js';

type Outcome = { bytes: string } | CallFailure;

const kinds: [string, Connector][] = [
  ['framed', (target, owner) => new FramedConnection(target, owner)],
  ['http2', (target, owner) => new Http2Connection(target, owner)],
];

describe.each(kinds)('connections of %s', (kind, connector) => {
  let peer: RawHttp2Peer | null = null;
  let caller: Http2Caller | null = null;
  const clock = new FakeClock();

  const connect = async (...how: ConstructorParameters<typeof RawHttp2Peer>): Promise<void> => {
    peer = new RawHttp2Peer(...how);
    caller = new Http2Caller(await peer.listen(), connector, {}, () => null, clock);
  };
  const call = (deadline: number, text = 'x'): Promise<Outcome> =>
    new Promise((resolve) => {
      caller?.call('/a.B/C', Buffer.from(text), deadline, {
        onResponse: (bytes) => resolve({ bytes: Buffer.from(bytes).toString() }),
        onFailure: resolve,
      });
    });

  afterEach(async () => {
    caller?.close();
    await peer?.close();
    clock.advance(2_000);
  });

  test('a peer that fell silent is found when a call expires, and left', async () => {
    await connect((session, id) => {
      if (session.index > 0) session.answer(id, Buffer.from('back'));
    });
    const lost = call(30_000);
    await until(() => peer?.sessions[0]?.ended.length === 1);
    clock.advance(30_000);
    expect(await lost).toMatchObject({ status: GrpcStatus.DEADLINE_EXCEEDED, neverSent: false });
    // The suspicion is a ping, which this peer does not answer either.
    await until(() => (peer?.sessions[0]?.resets.length ?? 0) > 0);
    clock.advance(20_000);
    const next = await call(30_000);
    expect(next).toEqual({ bytes: 'back' });
    expect(peer?.sessions).toHaveLength(2);
  });

  test('a peer that never sends SETTINGS: calls wait, then fail as never sent', async () => {
    await connect(undefined, null);
    const waiting = call(60_000);
    await until(() => peer?.sessions.length === 1);
    clock.advance(20_000);
    expect(await waiting).toMatchObject({ status: GrpcStatus.UNAVAILABLE, neverSent: true });
    // The pause runs: no further attempt.
    expect(await call(1_000)).toMatchObject({ neverSent: true });
    expect(peer?.sessions).toHaveLength(1);
    clock.advance(2_000);
    void call(1_000);
    await until(() => peer?.sessions.length === 2);
  });

  test('a peer that lets no call through is not asked again at once', async () => {
    await connect(undefined, setting(3, 0));
    const waiting = call(60_000);
    await until(() => peer?.sessions.length === 1);
    peer?.sessions[0]?.send(7, 0, 0, uint32(0, 0));
    expect(await waiting).toMatchObject({ status: GrpcStatus.UNAVAILABLE, neverSent: true });
    expect(peer?.sessions).toHaveLength(1);
  });

  test('headers of 70 KB cost the call that they answer, not those behind it', async () => {
    await connect((session, id) => {
      const body = session.bodies.get(id)?.subarray(5).toString();
      if (body === 'bad') session.refuse(id, GrpcStatus.NOT_FOUND, 'x'.repeat(70_000));
      else session.answer(id, Buffer.from('good'));
    });
    const bad = call(30_000, 'bad');
    await until(() => peer?.sessions[0]?.ended.length === 1);
    if (kind === 'framed') {
      expect(await bad).toMatchObject({ status: GrpcStatus.NOT_FOUND, neverSent: false });
    } else {
      // nghttp2 says goodbye to the peer and reads nothing more; this process hears nothing of it before Node 24.
      await until(() => peer?.sessions[0]?.goaways.length === 1);
      clock.advance(30_000);
      const { status } = (await bad) as CallFailure;
      expect([GrpcStatus.DEADLINE_EXCEEDED, GrpcStatus.UNAVAILABLE]).toContain(status);
      clock.advance(20_000);
    }
    expect(await call(30_000)).toEqual({ bytes: 'good' });
    expect(peer?.sessions).toHaveLength(kind === 'framed' ? 1 : 2);
  });

  test('too many waiting calls are declined, and none of them was sent', async () => {
    await connect(undefined, setting(3, 0));
    const calls = Array.from({ length: 10_001 }, () => call(60_000));
    expect(await calls.at(-1)).toMatchObject({
      status: GrpcStatus.RESOURCE_EXHAUSTED,
      neverSent: true,
    });
    caller?.close();
    for (const outcome of await Promise.all(calls))
      expect(outcome).toHaveProperty('neverSent', true);
  });
});
