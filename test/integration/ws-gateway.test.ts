import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import type { Gateway } from '../../src/gateway/gateway.js';
import type { Link } from '../../src/link/link.js';
import { GatewayClient, QuicTransport } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { DeployedClient } from '../support/deployed-client.js';
import { DeployedQuic } from '../support/deployed-client-quic.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { until } from '../support/quic-fake-gateway.js';
import { openWebSocket, openWsLink } from '../support/ws-client.js';
import { PATIENT_CLIENT } from '../support/patience.js';

type Json = Record<string, unknown>;

let harness: GatewayHarness;
let gateway: Gateway;
let upstream: UpstreamServer;
let quic: DeployedQuic;
let executed: string[];
let cleanups: (() => void)[];

beforeEach(async () => {
  harness = new GatewayHarness();
  executed = [];
  cleanups = [];
  gateway = await harness.gateway({ 'server.ws_addr': '127.0.0.1:0' });
  for (const zone of ZONES) upstream = await harness.upstream(gateway, zone, serve);
  quic = new DeployedQuic(() => `127.0.0.1:${gateway.quicPort}`);
});

afterEach(async () => {
  for (const clean of cleanups) clean();
  await quic.stop();
  await harness.close();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function serve(server: UpstreamServer): void {
  server.fallback(async (request) => {
    executed.push(`${request.openid} ${request.action} ${request.text}`);
    if (request.action === 'slow') await pause(200);
    if (request.action === 'large') return Buffer.alloc(200_000, request.text);
    return request.data;
  });
}

const openWs = async (subprotocol: string): Promise<Link> =>
  (await openWsLink(gateway.wsPort, subprotocol)).link;

/** A client of subprotocol gatesvr.json as an author without any library of ours writes it. */
class JsonClient {
  readonly pushes: Json[] = [];

  constructor(readonly webSocket: WebSocket) {
    cleanups.push(() => webSocket.terminate());
    webSocket.on('message', (text, binary) => {
      expect(binary).toBe(false);
      this.pushes.push(JSON.parse(String(text)) as Json);
    });
  }

  static async open(): Promise<JsonClient> {
    return new JsonClient((await openWebSocket(gateway.wsPort, 'gatesvr.json')).webSocket);
  }

  /** Sends a request and waits for the push with its msgId. */
  async ask(request: Json & { msgId: number }): Promise<Json> {
    this.tell(request);
    const find = () => this.pushes.find(({ msgId }) => msgId === request.msgId);
    await until(() => find() !== undefined);
    return find() as Json;
  }

  tell(request: Json): void {
    this.webSocket.send(JSON.stringify(request));
  }
}

describe('a session over several transports', () => {
  test('goes from QUIC to WebSocket to JSON and back, and loses nothing', async () => {
    const ways = [quic.open, () => openWs('gatesvr'), () => openWs('gatesvr.json'), quic.open];
    let way = 0;
    const client = new DeployedClient(() => (ways[way] as () => Promise<Link>)(), {
      openid: 'alice',
    });
    const first = await client.connect();
    expect((await client.request('echo', 'one')).data).toBe('one');
    const sent: string[] = [];
    for (way = 1; way < ways.length; way++) {
      client.drop();
      for (let count = 0; count < 20; count++) {
        const title = `${way}.${count}`;
        sent.push(`[x] ${title}`);
        await upstream.push({ openid: 'alice', type: 'x', title });
      }
      const { connectionId, resumed, recovered } = await client.reconnect();
      expect({ connectionId, resumed, recovered }).toEqual({
        connectionId: first.connectionId,
        resumed: true,
        recovered: true,
      });
      await until(() => client.pushes.length === sent.length);
      expect((await client.request('echo', `over ${way}`)).data).toBe(`over ${way}`);
      const large = await client.request('large', 'é');
      expect(large.data).toBe('é'.repeat(100_000));
    }
    expect(client.pushes.map(({ message }) => message)).toEqual(sent);
    expect(client.sequence).toEqual(client.sequence.map((_, at) => (client.sequence[0] ?? 0) + at));
    expect(client.errors).toEqual([]);
    expect(executed.filter((entry) => entry.includes('large'))).toHaveLength(3);
    const { values } = await (
      gateway.metrics.registry.getSingleMetric('gatesvr_connections_total') as NonNullable<
        ReturnType<typeof gateway.metrics.registry.getSingleMetric>
      >
    ).get();
    expect(
      Object.fromEntries(values.map(({ labels, value }) => [labels['transport'], value])),
    ).toEqual({ quic: 2, http3: 0, webtransport: 0, websocket: 1, websocket_json: 1 });
  });

  test('is taken over by the newer connection, whatever it came over', async () => {
    const older = new DeployedClient(() => openWs('gatesvr'), { openid: 'bob' });
    await older.connect();
    const newer = new DeployedClient(quic.open, { openid: 'bob' });
    await newer.connect();
    await until(() => older.closes.length === 1);
    expect(older.closes).toMatchObject([{ code: 409, by: 'peer' }]);
    expect(older.errors.map(({ code }) => code)).toEqual([409]);
    expect((await newer.request('echo', 'mine')).data).toBe('mine');
  });

  test('survives cuts on alternating transports: each request once, each push once, in order', async () => {
    const links: Link[] = [];
    const overQuic = new QuicTransport({ ca: readFileSync(join(harness.folder, 'ca.crt')) });
    const client = new GatewayClient({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${gateway.quicPort}`,
      openid: 'carol',
      minDelayMs: 10,
      maxDelayMs: 50,
      transport: {
        name: 'either',
        open: async (address, signal) => {
          const turn = links.length % 3;
          const link =
            turn === 0
              ? await overQuic.open(address, signal)
              : await openWs(turn === 1 ? 'gatesvr' : 'gatesvr.json');
          links.push(link);
          return link;
        },
      },
    });
    cleanups.push(() => client.close());
    const pushes: string[] = [];
    client.onPush(({ title }) => pushes.push(title));
    await client.connect();
    const answers: Promise<string>[] = [];
    for (let n = 0; n < 60; n++) {
      const action = n % 10 === 0 ? 'slow' : 'echo';
      answers.push(client.request(action, { data: `${n}` }).then(({ text }) => text));
      await upstream.push({ openid: 'carol', type: 'n', title: `${n}` });
      if (n % 12 === 6) {
        await until(() => client.state === 'connected');
        links.at(-1)?.close(0, 'cut by the test');
      }
      await pause(5);
    }
    expect(await Promise.all(answers)).toEqual(answers.map((_, n) => `${n}`));
    await until(() => pushes.length === 60);
    expect(pushes).toEqual(pushes.map((_, n) => `${n}`));
    expect(executed).toHaveLength(60);
    expect(new Set(executed).size).toBe(60);
    expect(links.length).toBeGreaterThan(3);
  });
});

describe('a client that speaks JSON', () => {
  test('starts, asks, is pushed to, acknowledges, beats and stops', async () => {
    const client = await JsonClient.open();
    const started = await client.ask({ msgId: 1, startRequest: { openid: 'dave' } });
    expect(started).toMatchObject({
      seqId: '0',
      type: 'PUSH_START_RESP',
      startResponse: { success: true, resumed: false, recovered: true, nextPushSeq: '1' },
    });
    const data = Buffer.from('{"x":1}').toString('base64');
    const business = { action: 'echo', params: { a: 'b' }, data };
    expect(await client.ask({ msgId: 2, seqId: 1, businessRequest: business })).toEqual({
      msgId: 2,
      seqId: '1',
      type: 'PUSH_BUSINESS_DATA',
      headers: {},
      businessResponse: { code: 200, message: expect.any(String), data },
    });
    await upstream.push({ openid: 'dave', type: 'news', title: 'hi', content: 'text' });
    await until(() => client.pushes.length === 3);
    expect(client.pushes[2]).toMatchObject({
      msgId: 0,
      seqId: '2',
      businessResponse: { message: '[news] hi', data: 'dGV4dA==' },
    });
    client.tell({ clientAck: { ackedSeqId: '2' } });
    const beat = await client.ask({ msgId: 3, heartbeatRequest: { clientTimestamp: '1234' } });
    expect(beat['heartbeatResponse']).toMatchObject({ clientTimestamp: '1234' });
    const unsent = await client.ask({ msgId: 4, clientAck: { ackedSeqId: 99 } });
    expect(unsent).toMatchObject({ type: 'PUSH_ERROR', errorMessage: { errorCode: 400 } });
    client.tell({ msgId: 5, stopRequest: { reason: 'USER_LOGOUT' } });
    const [code] = (await once(client.webSocket, 'close')) as [number];
    expect(code).toBe(1000);
  });

  test('is told in a push what was wrong, then by the close code', async () => {
    const client = await JsonClient.open();
    client.tell({ msgId: 1, startRequest: { openId: 'dave' } });
    const [code, reason] = (await once(client.webSocket, 'close')) as [number, Buffer];
    const why = 'startRequest: StartRequest has no field "openId"';
    expect([code, reason.toString()]).toEqual([4400, why]);
    expect(client.pushes).toMatchObject([
      { type: 'PUSH_ERROR', errorMessage: { errorCode: 400, errorMessage: expect.any(String) } },
    ]);
    expect(JSON.stringify(client.pushes[0])).toContain('has no field');
  });
});

describe('the gateway', () => {
  test('has no WebSocket listener where server.ws_addr is off', async () => {
    expect((await harness.gateway()).wsPort).toBe(0);
  });

  test('closes clients above max_connections with 4503', async () => {
    const small = await harness.gateway({
      'server.ws_addr': '127.0.0.1:0',
      'overload_protection.max_connections': '2',
      'server.state_file': join(harness.folder, 'small.state'),
      'routing.registry_file': join(harness.folder, 'small.json'),
    });
    const { wsPort } = small;
    await openWebSocket(wsPort, 'gatesvr');
    await openWebSocket(wsPort, 'gatesvr');
    const { webSocket } = await openWebSocket(wsPort, 'gatesvr');
    const [code] = (await once(webSocket, 'close')) as [number];
    expect(code).toBe(4503);
  });

  test('that stops answers what is in flight, then tells its clients to come back', async () => {
    const client = await JsonClient.open();
    await client.ask({ msgId: 1, startRequest: { openid: 'erin' } });
    client.tell({ msgId: 2, seqId: 1, businessRequest: { action: 'slow', data: 'eA==' } });
    await until(() => executed.length === 1);
    const closed = once(client.webSocket, 'close') as Promise<[number, Buffer]>;
    await gateway.stop();
    const [code, reason] = await closed;
    expect([code, reason.toString()]).toEqual([4503, 'the gateway restarts, connect again']);
    expect(client.pushes.map(({ type }) => type)).toEqual([
      'PUSH_START_RESP',
      // The notice at once, the last word behind the answer.
      'PUSH_ERROR',
      'PUSH_BUSINESS_DATA',
      'PUSH_ERROR',
    ]);
  });
});
