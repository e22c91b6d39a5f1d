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
import { NodePair, ReplicationNode } from '../support/replication-nodes.js';
import type { NodeSettings } from '../support/replication-nodes.js';
import { MemoryRoleStore } from '../support/replication-pair.js';

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

describe('a third gateway with the secret of the two', () => {
  it('is refused while the peer is heard, and may replace it once that is gone', async () => {
    const settings = { timeout: 3_000 };
    await inSync(settings);
    const store = new MemoryRoleStore();
    const nothing = { solo: false, epoch: 0, position: 0, seenEpoch: 0, peer: '', failbacks: 0 };
    // Boot ids of two gateways say nothing of each other.
    store.state = { role: 'backup', boot: 9_000_000_000, ...nothing };
    const third = new ReplicationNode('c', { mode: 'backup', ...settings }, store);
    try {
      await third.start(pair.a.ports);
      await third.replicator.start();
      const { refused } = pair.a.metrics.replication;
      await eventually(() => refused.of('cluster').value > 2, 'the third to be refused');
      const paired = () => pair.a.replicator.machine.paired && pair.b.replicator.machine.paired;
      expect([paired(), third.replicator.machine.role]).toEqual([true, 'starting']);
      await pair.b.stop();
      await eventually(() => third.replicator.machine.role === 'backup', 'it to be taken in');
    } finally {
      await third.stop();
    }
    await pair.boot('b');
    await eventually(() => pair.b.replicator.machine.paired, 'the former backup to be back');
    expect(pair.a.replicator.accepting).toBe(true);
  });
});
