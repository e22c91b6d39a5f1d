import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { grpcJsCallers } from '../../src/grpc/grpc-js-caller.js';
import type { ClientStream, StreamEnd, StreamOpener } from '../../src/grpc/message-stream.js';
import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type { UnaryCaller } from '../../src/grpc/unary-caller.js';
import { ClusterSeal } from '../../src/replication/cluster-seal.js';
import { MAX_BEAT_BYTES, MAX_FROM_STANDBY_BYTES } from '../../src/replication/message-limits.js';
import { inMessages } from '../../src/replication/push-offers.js';
import { MAX_BODY_BYTES } from '../../src/wire/limits.js';
import { Method } from '../../src/wire/grpc-methods.js';
import {
  FromPrimary,
  FromStandby,
  Hello,
  OfferedPush,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';
import { PATIENCE_MS } from '../support/patience.js';
import { eventually } from '../support/quic-harness.js';
import { NodePair } from '../support/replication-nodes.js';
import type { NodeSettings } from '../support/replication-nodes.js';

let pair: NodePair;
let callers: (UnaryCaller & StreamOpener)[] = [];

beforeEach(() => {
  callers = [];
});
afterEach(async () => {
  for (const caller of callers) caller.close();
  await pair.stop();
});

async function inSync(settings: NodeSettings): Promise<NodePair> {
  pair = new NodePair({ a: settings, b: settings });
  await pair.start();
  const paired = () => pair.a.replicator.machine.paired && pair.b.replicator.machine.paired;
  await eventually(paired, 'the pair to be in sync');
  return pair;
}

/** Whoever can reach a port. */
function dial(port: number): UnaryCaller & StreamOpener {
  const make = grpcJsCallers({ maxMessageBytes: 256 * 1024 * 1024 });
  const caller = make(`127.0.0.1:${port}`) as UnaryCaller & StreamOpener;
  callers.push(caller);
  return caller;
}

/** A stream to the sync port of `a`, with what came and how it ended. */
function follow(): {
  stream: ClientStream;
  heard: FromPrimary[];
  ended: Promise<StreamEnd>;
} {
  const heard: FromPrimary[] = [];
  let stream!: ClientStream;
  const ended = new Promise<StreamEnd>((resolve) => {
    stream = dial(pair.a.ports.sync).open(Method.Follow, {
      onMessage: (bytes) => void heard.push(decodeMessage(FromPrimary, bytes)),
      onClosed: resolve,
    });
  });
  return { stream, heard, ended };
}

describe('of strangers the replication ports take', () => {
  it('no large messages', async () => {
    await inSync({});
    const status = await new Promise((resolve) =>
      dial(pair.a.ports.heartbeat).call(
        Method.Heartbeat,
        Buffer.alloc(MAX_BEAT_BYTES + 1),
        PATIENCE_MS,
        { onResponse: () => resolve('answered'), onFailure: (failure) => resolve(failure.status) },
      ),
    );
    expect(status).toBe(GrpcStatus.RESOURCE_EXHAUSTED);
    const { stream, ended } = follow();
    stream.write(Buffer.alloc(MAX_FROM_STANDBY_BYTES + 1));
    expect((await ended).status).toBe(GrpcStatus.RESOURCE_EXHAUSTED);
  });

  it('no stream for longer than a heartbeat timeout without a hello', async () => {
    await inSync({ timeout: 5_000 });
    const { ended } = follow();
    expect(await ended).toMatchObject({ message: expect.stringContaining('no hello came') });
    expect(pair.b.journal.position).toBe(pair.a.journal.position);
  });

  it('no hello of a former process of the peer: the stream of the present one stays', async () => {
    await inSync({ timeout: 60_000 });
    const { resets } = pair.b.journal;
    const { fenced } = pair.a.metrics.replication;
    const { stream, heard, ended } = follow();
    await eventually(() => heard.length > 0, 'the challenge');
    const identity = { protocolVersion: 1, clusterId: 'pair', serverId: 'b' };
    const body = new Hello({ identity, boot: 0, challenge: new Uint8Array(16) });
    const challenge = heard[0]?.challenge ?? new Uint8Array(0);
    const seal = new ClusterSeal('secret');
    const hello = seal.seal('hello', challenge, encodeMessage(Hello, body));
    stream.write(encodeMessage(FromStandby, new FromStandby({ hello })));
    expect((await ended).message).toContain('of a former process');
    expect(fenced.value).toBe(1);
    pair.a.journal.append('still');
    await eventually(() => pair.b.journal.texts.at(-1) === 'still', 'the tail');
    expect(pair.b.journal.resets).toBe(resets);
  });
});

describe('what a standby offers fits', () => {
  const sizes = (pushes: OfferedPush[]) =>
    [...inMessages(pushes)].map(
      (part) => encodeMessage(FromStandby, new FromStandby({ offer: { pushes: part } })).length,
    );
  const key = { key: 'k'.repeat(256), digest: 'd'.repeat(44), ttl: 2 ** 40 };

  it('with the largest push there is', () => {
    const [size] = sizes([
      new OfferedPush({ openid: 'o'.repeat(256), body: Buffer.alloc(MAX_BODY_BYTES), key }),
    ]);
    expect(size).toBeLessThanOrEqual(MAX_FROM_STANDBY_BYTES);
  });

  it('with many small ones, which are mostly keys', () => {
    const openid = 'o'.repeat(256);
    const push = new OfferedPush({ openid, body: Buffer.alloc(1), key });
    const all = sizes(Array.from({ length: 5_000 }, () => push));
    expect(Math.max(...all)).toBeLessThanOrEqual(256 * 1024);
  });
});
