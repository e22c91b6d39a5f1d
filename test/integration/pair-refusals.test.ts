import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { MeasuredProcess } from '../../src/bench/load/measured-process.js';
import { writeCertificates } from '../../src/config/certificates.js';
import type { CertificateFiles } from '../../src/config/certificates.js';
import { grpcJsCallers } from '../../src/grpc/grpc-js-caller.js';
import { ClusterSeal } from '../../src/replication/cluster-seal.js';
import { Method } from '../../src/wire/grpc-methods.js';
import { Beat, Sealed, encodeMessage } from '../../src/wire/messages.js';
import { ask } from '../support/ops-double.js';
import { PATIENCE_MS } from '../support/patience.js';
import { until } from '../support/until.js';

const SECRET = 'of this test';
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-refusals-'));
const gateways: MeasuredProcess[] = [];
let ours: CertificateFiles;
let theirs: CertificateFiles;

beforeAll(async () => {
  ours = await writeCertificates(join(folder, 'ours'));
  theirs = await writeCertificates(join(folder, 'theirs'));
});

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** One gateway of a pair in a process of its own; needs `make build`. */
class Node {
  process!: MeasuredProcess;
  http = 0;
  heartbeat = 0;
  sync = 0;

  /** @param peer whose ports it calls; null: nobody's. */
  async start(name: string, peer: Node | null, settings: Record<string, string>): Promise<this> {
    const all = {
      'server.quic_addr': '127.0.0.1:0',
      'server.grpc_addr': '127.0.0.1:0',
      'server.http_addr': '127.0.0.1:0',
      'server.metrics_addr': 'off',
      'server.ws_addr': 'off',
      'server.state_file': 'off',
      'server.drain_timeout': '0s',
      'server.cert_file': ours.certFile,
      'server.key_file': ours.keyFile,
      'routing.registry_file': 'off',
      'log.format': 'json',
      'backup.enabled': 'true',
      'backup.mode': peer === null ? 'primary' : 'backup',
      'backup.server_id': name,
      'backup.cluster_secret': SECRET,
      'backup.role_file': join(mkdtempSync(join(folder, 'node-')), 'role'),
      'backup.heartbeat.interval': '200ms',
      'backup.heartbeat.timeout': '10m',
      'backup.heartbeat.listen_addr': '127.0.0.1:0',
      // Port 9 is discard's: nobody listens there.
      'backup.heartbeat.peer_addr': `127.0.0.1:${peer?.heartbeat ?? 9}`,
      'backup.sync.listen_addr': '127.0.0.1:0',
      'backup.sync.peer_addr': `127.0.0.1:${peer?.sync ?? 9}`,
      ...settings,
    };
    const sets = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    this.process = new MeasuredProcess(process.execPath, ['dist/cli/main.js', 'serve', ...sets]);
    gateways.push(this.process);
    const ports = /"http":(\d+).*"heartbeat":(\d+),"sync":(\d+).*has started/;
    const found = (await this.process.waitFor(ports)).slice(1).map(Number);
    [this.http, this.heartbeat, this.sync] = found as [number, number, number];
    return this;
  }

  /** What it heard of a peer; null: nothing that it took. */
  async peer(): Promise<unknown> {
    const { text } = await ask({ port: this.http, path: '/backup/stats' });
    return (JSON.parse(text) as { peer: unknown }).peer;
  }

  logs(pattern: RegExp): Promise<unknown> {
    return this.process.waitFor(pattern, PATIENCE_MS);
  }
}

/** A heartbeat of another version, well proven. @returns why it was refused. */
async function tellVersion(node: Node, protocolVersion: number): Promise<string> {
  const identity = { protocolVersion, clusterId: 'gatesvr', serverId: 'newer' };
  const body = encodeMessage(Beat, new Beat({ identity, standing: { boot: 1 }, sequence: 1 }));
  const sealed = new ClusterSeal(SECRET).seal('beat', new Uint8Array(0), body);
  const caller = grpcJsCallers({})(`127.0.0.1:${node.heartbeat}`);
  try {
    return await new Promise((resolve) =>
      caller.call(Method.Heartbeat, encodeMessage(Sealed, sealed), PATIENCE_MS, {
        onResponse: () => resolve('answered'),
        onFailure: ({ message }) => resolve(message),
      }),
    );
  } finally {
    caller.close();
  }
}

describe('a gateway of a pair refuses, and says so in one line of its log', () => {
  test('another pair, another secret, another version', async () => {
    const node = await new Node().start('a', null, {});
    await Promise.all([
      new Node().start('stranger', node, { 'backup.cluster_id': 'other' }),
      new Node().start('liar', node, { 'backup.cluster_secret': 'guessed' }),
    ]);
    expect(await tellVersion(node, 2)).toMatch(
      /speaks version 2, this gateway 1; upgrade the older/,
    );
    await node.logs(/belongs to the pair \\"other\\", not this one.*refused on a replication port/);
    await node.logs(/has another backup.cluster_secret.*refused on a replication port/);
    await node.logs(/speaks version 2, this gateway 1.*refused on a replication port/);
    expect(await node.peer()).toBeNull();
  });

  test('a certificate of another authority, with mutual TLS', async () => {
    const tls = (own: CertificateFiles) => ({
      'grpc.tls.cert_file': own.certFile,
      'grpc.tls.key_file': own.keyFile,
      'grpc.tls.client_ca_file': own.caFile,
      'upstream_tls.ca_file': own.caFile,
      'upstream_tls.cert_file': own.certFile,
      'upstream_tls.key_file': own.keyFile,
    });
    const node = await new Node().start('a', null, tls(ours));
    const settings = { ...tls(theirs), 'upstream_tls.ca_file': ours.caFile };
    const [stranger, backup] = await Promise.all([
      new Node().start('stranger', node, settings),
      new Node().start('b', node, tls(ours)),
    ]);
    await stranger.logs(/"reason":"[^"]+","msg":"the peer did not answer a heartbeat"/);
    await backup.logs(/"role":"backup"|following the primary/);
    await until(async () => (await node.peer()) !== null);
    expect(await node.peer()).toMatchObject({ server_id: 'b' });
    expect(await stranger.peer()).toBeNull();
  });
});
