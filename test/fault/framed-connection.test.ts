import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { framedCallers } from '../../src/grpc/caller-kinds.js';
import { FramedConnection } from '../../src/grpc/h2/framed-connection.js';
import { Http2Caller } from '../../src/grpc/http2-caller.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type { CallFailure, CallHandle, UnaryCaller } from '../../src/grpc/unary-caller.js';
import { frame } from '../support/http2-peer.js';
import { RawHttp2Peer, answerFrames, setting, uint32 } from '../support/raw-http2-peer.js';
import type { RawSession } from '../support/raw-http2-peer.js';
import { PATIENCE_MS } from '../support/patience.js';

type Outcome = { bytes: string } | CallFailure;

const callers: UnaryCaller[] = [];
const peers: RawHttp2Peer[] = [];

afterEach(async () => {
  for (const caller of callers.splice(0)) caller.close();
  for (const peer of peers.splice(0)) await peer.close();
});

async function connect(...settings: ConstructorParameters<typeof RawHttp2Peer>) {
  const peer = new RawHttp2Peer(...settings);
  peers.push(peer);
  const caller = framedCallers({ initialReconnectMs: 1, maxReconnectMs: 1 })(await peer.listen());
  callers.push(caller);
  return { peer, call: (text: string, deadline = PATIENCE_MS) => callOf(caller, text, deadline) };
}

function callOf(caller: UnaryCaller, text: string, deadline: number) {
  const outcomes: Outcome[] = [];
  let handle: CallHandle | null = null;
  const outcome = new Promise<Outcome>((resolve) => {
    const note = (one: Outcome): void => {
      outcomes.push(one);
      resolve(one);
    };
    handle = caller.call('/a.B/C', Buffer.from(text), deadline, {
      onResponse: (bytes) => note({ bytes: Buffer.from(bytes).toString() }),
      onFailure: note,
    });
  });
  return { outcome, outcomes, cancel: () => handle?.cancel() };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const echo = (session: RawSession, id: number): void =>
  session.answer(id, (session.bodies.get(id) as Buffer).subarray(5));
const eventually = async (holds: () => boolean): Promise<void> => {
  for (let waited = 0; waited < PATIENCE_MS && !holds(); waited += 5) await pause(5);
  expect(holds()).toBe(true);
};

describe('windows', () => {
  test('a window that shrinks below zero holds requests until it opens', async () => {
    const { peer, call } = await connect(undefined, setting(4, 10));
    const one = call('0123456789');
    await eventually(() => peer.sessions[0]?.bodies.get(1)?.length === 10);
    const [session] = peer.sessions as [RawSession];
    session.send(4, 0, 0, setting(4, 0));
    session.send(8, 0, 1, uint32(10));
    await pause(50);
    expect(session.bodies.get(1)).toHaveLength(10);
    session.send(8, 0, 1, uint32(4));
    await eventually(() => session.bodies.get(1)?.length === 14);
    await pause(50);
    expect(session.bodies.get(1)).toHaveLength(14);
    expect(session.ended).toEqual([]);
    session.send(8, 0, 1, uint32(100));
    await eventually(() => session.ended.length === 1);
    echo(session, 1);
    expect(await one.outcome).toEqual({ bytes: '0123456789' });
  });

  test('the window of the connection is shared, in order', async () => {
    const { peer, call } = await connect(undefined, setting(4, 1_000_000));
    const calls = [40_000, 40_000, 40_000].map((size) => call('x'.repeat(size)));
    await eventually(() => (peer.sessions[0]?.bodies.get(3)?.length ?? 0) === 25_530);
    const [session] = peer.sessions as [RawSession];
    expect([session.ended, session.bodies.get(5)]).toEqual([[1], undefined]);
    session.send(8, 0, 0, uint32(100_000));
    await eventually(() => session.ended.length === 3);
    for (const id of session.ended) session.answer(id, Buffer.from('ok'));
    for (const { outcome } of calls) expect(await outcome).toEqual({ bytes: 'ok' });
  });

  test.each([
    ['a credit of 0 for the connection', (session: RawSession) => session.send(8, 0, 0, uint32(0))],
    ['a credit too many', (session: RawSession) => session.send(8, 0, 0, uint32(0x7fffffff))],
    [
      'a credit too many for a stream',
      (session: RawSession) => session.send(8, 0, 1, uint32(0x7fffffff)),
    ],
    [
      'a window above the limit',
      (session: RawSession) => session.send(4, 0, 0, setting(4, 0x80000000)),
    ],
    [
      'a frame size below the limit',
      (session: RawSession) => session.send(4, 0, 0, setting(5, 100)),
    ],
    [
      'DATA on a stream that never began',
      (session: RawSession) => session.send(0, 0, 99, Buffer.alloc(1)),
    ],
    [
      'HEADERS on a stream of its own',
      (session: RawSession) => session.send(1, 4, 2, Buffer.of(0x88)),
    ],
    [
      'headers that cannot be decoded',
      (session: RawSession) => session.send(1, 4, 1, Buffer.of(0xff)),
    ],
  ])('%s ends the connection, and the next call makes another', async (_, misbehave) => {
    let bad = true;
    const { peer, call } = await connect((session, id) => {
      if (bad) misbehave(session);
      else echo(session, id);
    });
    expect(await call('one').outcome).not.toHaveProperty('bytes');
    bad = false;
    await pause(20);
    expect(await call('two').outcome).toEqual({ bytes: 'two' });
    expect(peer.sessions.length).toBeGreaterThan(1);
  });

  test('credit is returned for what was taken in', async () => {
    const large = Buffer.alloc(900_000, 'z');
    const { peer, call } = await connect((session, id) => {
      const [head, body, trailers] = answerFrames(large);
      if (head) session.send(head[0], head[1], id, head[2]);
      for (let at = 0; at < (body?.[2].length ?? 0); at += 16_384) {
        session.send(0, 0, id, (body?.[2] as Buffer).subarray(at, at + 16_384));
      }
      if (trailers) session.send(trailers[0], trailers[1], id, trailers[2]);
    });
    for (let index = 0; index < 4; index++) {
      expect(await call('x').outcome).toEqual({ bytes: large.toString() });
    }
    const given = (id: number) =>
      peer.sessions[0]?.credits.filter(([stream]) => stream === id).map(([, bytes]) => bytes);
    expect(given(1)?.length).toBeGreaterThanOrEqual(3);
    expect(given(0)?.length).toBeGreaterThanOrEqual(2);
  });
});

describe('streams', () => {
  test('an answer before the whole request was sent counts, and the rest is not sent', async () => {
    const { peer, call } = await connect(undefined, undefined, (session, id) =>
      session.answer(id, Buffer.from('early')),
    );
    expect(await call('y'.repeat(300_000)).outcome).toEqual({ bytes: 'early' });
    await eventually(() => peer.sessions[0]?.resets.length === 1);
    expect(peer.sessions[0]?.resets).toEqual([[1, 0]]);
    expect(peer.sessions[0]?.ended).toEqual([]);
  });

  test('what comes for a call that was cancelled reaches nobody and harms nobody', async () => {
    const { peer, call } = await connect((session, id) => {
      if (id > 1) echo(session, id);
    });
    const one = call('one');
    await eventually(() => peer.sessions[0]?.ended.length === 1);
    one.cancel();
    await eventually(() => peer.sessions[0]?.resets.length === 1);
    const [session] = peer.sessions as [RawSession];
    expect(session.resets).toEqual([[1, 8]]);
    echo(session, 1);
    session.send(3, 0, 1, uint32(8));
    session.send(8, 0, 1, uint32(5));
    expect(await call('two').outcome).toEqual({ bytes: 'two' });
    expect(one.outcomes).toEqual([expect.objectContaining({ status: GrpcStatus.CANCELLED })]);
    expect(peer.sessions).toHaveLength(1);
  });

  test('a reset behind the whole answer changes nothing', async () => {
    const { call } = await connect((session, id) => {
      const [head, body, trailers] = answerFrames(Buffer.from('x'));
      for (const part of [head, body, trailers])
        if (part) session.send(part[0], part[1], id, part[2]);
      session.send(3, 0, id, uint32(0));
    });
    expect(await call('x').outcome).toEqual({ bytes: 'x' });
    expect(await call('x').outcome).toEqual({ bytes: 'x' });
  });

  test('pings are answered', async () => {
    const pongs: Buffer[] = [];
    const { peer, call } = await connect((session, id) => {
      session.socket.on('data', (chunk) => pongs.push(chunk));
      session.send(6, 0, 0, Buffer.from('12345678'));
      setTimeout(() => echo(session, id), 30);
    });
    await call('x').outcome;
    const pong = frame(6, 1, 0, Buffer.from('12345678'));
    await eventually(() => Buffer.concat(pongs).includes(pong));
    expect(peer.sessions).toHaveLength(1);
  });

  test('a connection that is cut leaves what was sent in doubt, and the next call makes another', async () => {
    const { peer, call } = await connect((session, id) => {
      if (session.index === 1) echo(session, id);
    });
    const first = call('first');
    await eventually(() => peer.sessions[0]?.ended.length === 1);
    peer.sessions[0]?.socket.destroy();
    expect(await first.outcome).toMatchObject({ status: GrpcStatus.UNAVAILABLE, neverSent: false });
    expect(await call('second').outcome).toEqual({ bytes: 'second' });
  });
});

test('GOAWAY too_many_pings: what is under way finishes', async () => {
  const { peer, call } = await connect((session, id) => {
    if (session.index === 0) session.send(7, 0, 0, uint32(id, 11));
    echo(session, id);
  });
  expect(await call('one').outcome).toEqual({ bytes: 'one' });
  expect(await call('two').outcome).toEqual({ bytes: 'two' });
  expect(peer.sessions).toHaveLength(2);
});

test('a peer that ends its side of the connection gets no more calls there', async () => {
  const { peer, call } = await connect((session, id) => {
    if (session.index > 0) echo(session, id);
    else session.socket.end();
  });
  expect(await call('one').outcome).toMatchObject({
    status: GrpcStatus.UNAVAILABLE,
    neverSent: false,
  });
  expect(await call('two').outcome).toEqual({ bytes: 'two' });
  expect(peer.sessions).toHaveLength(2);
});

test('a connection whose stream ids are used up is left for another, and closed', async () => {
  const peer = new RawHttp2Peer(echo);
  peers.push(peer);
  const connections: FramedConnection[] = [];
  const caller = new Http2Caller(await peer.listen(), (target, owner) => {
    const made = new FramedConnection(target, owner);
    connections.push(made);
    return made;
  });
  callers.push(caller);
  expect(await callOf(caller, 'one', PATIENCE_MS).outcome).toEqual({ bytes: 'one' });
  Object.assign(connections[0] as FramedConnection, { nextId: 2 ** 31 + 1 });
  expect(await callOf(caller, 'two', PATIENCE_MS).outcome).toEqual({ bytes: 'two' });
  await eventually(() => peer.sessions[0]?.goaways.length === 1);
  expect(connections).toHaveLength(2);
});

test('a peer that floods with SETTINGS and reads no acknowledgement loses the connection', async () => {
  const settings = Buffer.concat(Array<Buffer>(7_000).fill(frame(4, 0, 0, Buffer.alloc(0))));
  const { peer, call } = await connect((session, id) => {
    if (session.index > 0) return echo(session, id);
    session.socket.pause();
    const flood = (): void => {
      while (!session.socket.destroyed && session.socket.write(settings));
    };
    session.socket.on('drain', flood);
    flood();
  });
  expect(await call('one').outcome).toMatchObject({ status: GrpcStatus.UNAVAILABLE });
  expect(await call('two').outcome).toEqual({ bytes: 'two' });
  expect(peer.sessions).toHaveLength(2);
});

test('whatever a peer sends, every call has exactly one outcome', async () => {
  const good = answerFrames(Buffer.from('hello'));
  const piece = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(...good).map(([type, flags, body]) => ({ type, flags, body })),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.nat(10),
        flags: fc.nat(255),
        body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      }),
    },
  );
  const script = fc.array(fc.tuple(piece, fc.constantFrom(1, 3, 5, 0, 2, 7)), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(script, fc.boolean(), async (frames, cut) => {
      const { call } = await connect((session, id) => {
        if (session.index > 0 || id !== 5) return;
        for (const [{ type, flags, body }, streamId] of frames)
          session.send(type, flags, streamId, body);
        if (cut) session.socket.end();
      });
      const calls = ['one', 'two', 'three'].map((text) => call(text, 60));
      await Promise.all(calls.map(({ outcome }) => outcome));
      await pause(1);
      for (const { outcomes } of calls) expect(outcomes).toHaveLength(1);
      for (const caller of callers.splice(0)) caller.close();
      for (const peer of peers.splice(0)) await peer.close();
    }),
    { numRuns: 60 },
  );
});
