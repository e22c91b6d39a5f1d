import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { native } from '@matrixai/quic';
import type { Gateway } from '../../src/gateway/gateway.js';
import { QuicClient } from '../../src/quic/quic-client.js';
import type { QuicClosed } from '../../src/quic/quic-closed.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { DeployedClient } from '../support/deployed-client.js';
import { DeployedQuic } from '../support/deployed-client-quic.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { until } from '../support/until.js';

let harness: GatewayHarness;
let gateway: Gateway;
let quic: DeployedQuic;

beforeEach(() => {
  harness = new GatewayHarness();
  quic = new DeployedQuic(() => `127.0.0.1:${gateway.quicPort}`);
});

afterEach(async () => {
  await quic.stop();
  await harness.close();
});

function deployed(openid: string): DeployedClient {
  return new DeployedClient(quic.open, { openid, hello: false });
}

function shown(): Promise<string> {
  return gateway.metrics.registry.metrics();
}

describe('first packets of clients that never answer', () => {
  test('take no place from those that do, however few connections there may be', async () => {
    gateway = await harness.gateway({ 'overload_protection.max_connections': '20' });
    const socket = dgram.createSocket('udp4');
    const config = new native.quiche.Config();
    config.setApplicationProtos(['gatesvr']);
    const address = { host: '127.0.0.1', port: 1 };
    for (let count = 0; count < 60; count++) {
      const id = randomBytes(16);
      const client = native.quiche.Connection.connect('localhost', id, address, address, config);
      const datagram = Buffer.alloc(1_350);
      const length = client.send(datagram)?.[0] ?? 0;
      await new Promise((sent) =>
        socket.send(datagram, 0, length, gateway.quicPort, '127.0.0.1', sent),
      );
    }
    socket.close();
    await until(async () => /quic_datagrams_received_total ([6-9]\d|\d{3})/.test(await shown()));
    await deployed('good').connect();
    expect(await shown()).not.toMatch(/rejected_total\{reason="max_connections"\} [1-9]/);
  });
});

describe('connections that open no stream', () => {
  let client: QuicClient;

  function speaking(alpn: string): void {
    const metrics = new Metrics().quic;
    const trust = { verify: false } as const;
    client = new QuicClient({ trust, alpns: [alpn], metrics, log: silentLogger() });
  }

  afterEach(() => client.stop());

  async function connect(): Promise<{ connection: QuicConnection; closed: QuicClosed[] }> {
    const closed: QuicClosed[] = [];
    const target = { host: '127.0.0.1', port: gateway.quicPort };
    const connection = await client.connect(target, {
      onStream: () => undefined,
      onClosed: (end) => closed.push(end),
    });
    return { connection, closed };
  }

  test('count for their address until they have one, and what is too much is closed with 429', async () => {
    speaking('gatesvr');
    gateway = await harness.gateway({ 'overload_protection.address_connections': '2' });
    await connect();
    const second = await connect();
    const third = await connect();
    await until(() => third.closed.length === 1);
    expect(third.closed[0]).toMatchObject({ application: true, code: 429, by: 'peer' });
    expect(third.closed[0]?.reason).toMatch(/^retry_after_ms=\d+$/);
    expect(await shown()).toContain(
      'gatesvr_connections_rejected_total{reason="address_connections"} 1',
    );
    second.connection.openStream().write(Buffer.from([0]));
    await until(() => gateway.sessions.connectionCount === 1);
    await deployed('good').connect();
  });

  test('are bounded over HTTP/3 too, where a page may be all that is wanted', async () => {
    speaking('h3');
    gateway = await harness.gateway({ 'overload_protection.address_connections': '2' });
    const connections: Awaited<ReturnType<typeof connect>>[] = [];
    for (let count = 0; count < 5; count++) connections.push(await connect());
    await until(() => connections[4]?.closed.length === 1);
    expect(connections[4]?.closed[0]).toMatchObject({ code: 0x107, by: 'peer' });
    expect(connections.slice(0, 4).flatMap(({ closed }) => closed)).toEqual([]);
    connections[0]?.connection.close(0x100, '');
    await until(async () => {
      const next = await connect();
      await new Promise((later) => setTimeout(later, 50));
      return next.closed.length === 0;
    });
  });
});
