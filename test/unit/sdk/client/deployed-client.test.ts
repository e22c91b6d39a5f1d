import { describe, expect, test } from '@jest/globals';
import { memoryLinkPair } from '../../../support/memory-link.js';
import { ClientRequest, StartRequest, decodeMessage } from '../../../../src/wire/messages.js';
import { DeployedClient } from '../../../support/deployed-client.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeGateway, turns } from '../../../support/fake-gateway.js';

function fixture(heartbeatMs = 0) {
  const gateway = new FakeGateway();
  const clock = new FakeClock();
  const frames: Uint8Array[] = [];
  const open = async () => {
    const [client, server] = memoryLinkPair();
    const send = client.send.bind(client);
    client.send = (frame) => {
      frames.push(frame.slice(4));
      return send(frame);
    };
    gateway.serve(server);
    return client;
  };
  const client = new DeployedClient(open, { openid: 'alice', clock, heartbeatMs });
  return { gateway, clock, client, frames };
}

/** Field numbers of a message, outermost only. */
function fieldNumbers(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  const view = Buffer.from(bytes);
  for (let at = 0; at < view.length;) {
    const tag = view[at++] as number;
    numbers.push(tag >> 3);
    if ((tag & 7) === 0) while ((view[at++] as number) > 127);
    else at += (view[at] as number) + 1;
  }
  return numbers;
}

describe('the deployed client of the tests', () => {
  test('speaks old fields only, START with seq 0 and the fixed token, openid everywhere', async () => {
    const { client, frames, gateway } = fixture();
    await client.connect();
    gateway.last.push(gateway.nextPush++, 'p');
    await turns();
    const requests = frames.map((frame) => decodeMessage(ClientRequest, frame));
    expect(requests.map(({ openid }) => openid)).toEqual(requests.map(() => 'alice'));
    expect(requests[0]?.seqId).toBe(0);
    const start = requests[0]?.payload ?? new Uint8Array(0);
    expect(decodeMessage(StartRequest, start).authToken).toBe('default-token');
    expect(fieldNumbers(start).every((field) => field <= 3)).toBe(true);
  });

  test('says hello first, counts on over a reconnect with holes, and begins at 1 after a restart', async () => {
    const { client, gateway } = fixture();
    await client.connect();
    await client.request('a');
    client.loseOneRequest();
    await client.reconnect();
    await client.request('b');
    const [first, second] = gateway.connections;
    expect(first?.requests.map(({ action, seqId }) => [action, seqId])).toEqual([
      ['hello', 1],
      ['a', 2],
    ]);
    expect(second?.requests.map(({ action, seqId }) => [action, seqId])).toEqual([['b', 4]]);
    expect([second?.starts[0]?.lastAckedSeqId, second?.starts[0]?.resumeSessionId]).toEqual([
      2,
      '',
    ]);
    await client.restart();
    const third = gateway.last;
    expect([third.requests[0]?.action, third.requests[0]?.seqId]).toEqual(['hello', 1]);
    expect(third.starts[0]?.lastAckedSeqId).toBe(0);
  });

  test('closes with code 0 and without STOP before a reconnect, with STOP when it leaves', async () => {
    const { client, gateway } = fixture();
    await client.connect();
    const [first] = gateway.connections;
    await client.reconnect();
    await turns();
    expect([first?.stops.length, first?.closed?.code, first?.closed?.by]).toEqual([0, 0, 'peer']);
    client.stop();
    await turns();
    expect(gateway.last.stops).toHaveLength(1);
    expect(gateway.last.closed).not.toBeNull();
  });

  test('acknowledges every sequenced push, cumulatively, and no other', async () => {
    const { client, gateway } = fixture();
    await client.connect();
    gateway.last.push(0, 'unsequenced');
    for (let n = 0; n < 3; n++) gateway.last.push(gateway.nextPush++, `p${n}`);
    await turns();
    expect(gateway.last.acks).toEqual([1, 2, 3, 4]);
    expect(client.pushes.map(({ message }) => message)).toEqual([
      '[test] unsequenced',
      '[test] p0',
      '[test] p1',
      '[test] p2',
    ]);
  });

  test('gives up what is unanswered, and START after 10 s', async () => {
    const { client, gateway, clock } = fixture();
    await client.connect();
    gateway.onBusiness = () => undefined;
    const lost = client.request('lost').catch((error: unknown) => error);
    gateway.onStart = () => undefined;
    const again = client.reconnect().catch((error: unknown) => error);
    expect(await lost).toMatchObject({ code: 0 });
    await turns();
    clock.advance(9_999);
    expect(client.connected).toBe(true);
    clock.advance(2);
    expect(String(await again)).toMatch(/no START_RESP within 10 s/);
  });

  test('heartbeats by its own setting only', async () => {
    const { client, gateway, clock } = fixture(30_000);
    gateway.heartbeatSeconds = 1;
    await client.connect();
    clock.advance(61_000);
    await turns();
    expect(gateway.last.heartbeats).toBe(2);
    client.drop();
    expect(clock.pending).toBe(0);
  });
});
