import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { MeasuredProcess } from '../../src/bench/load/measured-process.js';
import { writeCertificates } from '../../src/config/certificates.js';
import { GatewayClient, createQuicClient } from '../../src/sdk/client/index.js';
import { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { eventually } from '../support/quic-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';

/** For larger runs: RESTART_CLIENTS=500 RESTARTS=5 npx jest test/fault/rolling-restart. */
const CLIENTS = Number(process.env['RESTART_CLIENTS'] ?? 8);
const RESTARTS = Number(process.env['RESTARTS'] ?? 2);
/** Load before, between and after the restarts, ms. */
const LOAD_MS = 500;
const PAUSE_MS = 10;

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-rolling-'));
const running: { stop(): Promise<void> }[] = [];
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A gateway process on these ports; 0: any. */
async function start(quic = 0, grpc = 0) {
  const settings = {
    'server.quic_addr': `127.0.0.1:${quic}`,
    'server.grpc_addr': `127.0.0.1:${grpc}`,
    'server.http_addr': 'off',
    'server.metrics_addr': 'off',
    'server.ws_addr': 'off',
    'server.cert_file': join(folder, 'server.crt'),
    'server.key_file': join(folder, 'server.key'),
    'server.state_file': join(folder, 'gateway.state'),
    'quic.retry_key_file': join(folder, 'gateway.keys'),
    'routing.registry_file': join(folder, 'upstreams.json'),
    'log.format': 'json',
  };
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const gateway = new MeasuredProcess(process.execPath, ['dist/cli/main.js', 'serve', ...sets]);
  running.push(gateway);
  const [, boundQuic, boundGrpc] = await gateway.waitFor(/"quic":(\d+).*"grpc":(\d+)/);
  return { gateway, quic: Number(boundQuic), grpc: Number(boundGrpc) };
}

/** A client that asks one request after another, and what it saw. */
class Player {
  readonly pushes: string[] = [];
  readonly waits: number[] = [];
  answered = 0;
  private gone = 0;
  private asking: Promise<void> | null = null;
  private done = false;
  readonly client: GatewayClient;

  constructor(
    readonly openid: string,
    address: string,
    shared: ReturnType<typeof createQuicClient>,
  ) {
    this.client = new GatewayClient({
      ...PATIENT_CLIENT,
      address,
      openid,
      shared,
      maxDelayMs: 300,
    });
    this.client.onPush((push) => this.pushes.push(push.text));
    this.client.on('disconnected', () => (this.gone = performance.now()));
    this.client.on('connected', () => {
      if (this.gone > 0) this.waits.push(performance.now() - this.gone);
    });
  }

  play(): void {
    this.asking = (async () => {
      for (let number = 1; !this.done; number++) {
        const text = `${this.openid} ${number}`;
        expect((await this.client.request('echo', { data: text })).text).toBe(text);
        this.answered++;
        await pause(PAUSE_MS);
      }
    })();
    this.asking.catch(() => undefined);
  }

  /** Rejects where a request failed. */
  async finish(): Promise<void> {
    this.done = true;
    await this.asking;
  }
}

afterAll(async () => {
  for (const each of running.reverse()) await each.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('restarts under load lose no push, execute no request twice, and every request is answered', async () => {
  await writeCertificates(folder);
  const first = await start();
  const { quic, grpc } = first;
  let { gateway } = first;
  const executed: string[] = [];
  const upstreams: UpstreamServer[] = [];
  for (const zone of ['001', '002', '003', '004', '005', '006']) {
    const gateways = [`127.0.0.1:${grpc}`];
    const listen = '127.0.0.1:0';
    const upstream = new UpstreamServer({ zone, serviceName: 'rolling', listen, gateways });
    upstream.handle('echo', (request) => {
      executed.push(request.text);
      return { data: request.data };
    });
    running.push(upstream);
    upstreams.push(upstream);
    await upstream.start();
  }
  const shared = createQuicClient({ ca: readFileSync(join(folder, 'ca.crt')) });
  running.push(shared);
  const players = Array.from(
    { length: CLIENTS },
    (_, index) => new Player(`player-${index}`, `127.0.0.1:${quic}`, shared),
  );
  running.push({ stop: async () => players.forEach(({ client }) => client.close()) });
  for (const player of players) await player.client.connect();
  for (const player of players) player.play();

  // A push counts from its success on; while the gateway is away the same one is tried again.
  const accepted = new Map<string, string[]>(players.map(({ openid }) => [openid, []]));
  let pushing = true;
  const pusher = (async () => {
    for (let number = 1; pushing; number++) {
      for (const { openid } of players) {
        const push = {
          openid,
          type: 'news',
          data: `push ${number}`,
          idempotencyKey: `${openid}/${number}`,
        };
        while (
          !(await upstreams[0]?.push(push).then(
            () => true,
            () => false,
          ))
        )
          await pause(50);
        accepted.get(openid)?.push(`push ${number}`);
      }
      await pause(PAUSE_MS);
    }
  })();

  for (let restart = 0; restart < RESTARTS; restart++) {
    await pause(LOAD_MS);
    await gateway.stop();
    expect(gateway.exitCode).toBe(0);
    ({ gateway } = await start(quic, grpc));
    const back = () => players.every(({ waits }) => waits.length > restart);
    await eventually(back, 'every client to come back');
  }
  await pause(LOAD_MS);
  pushing = false;
  await pusher;
  for (const player of players) await player.finish();
  for (const { openid, pushes } of players) {
    const sent = accepted.get(openid) ?? [];
    await eventually(() => pushes.length >= sent.length, `${sent.length} pushes to ${openid}`);
    expect(pushes).toEqual(sent);
  }
  expect(new Set(executed).size).toBe(executed.length);
  const answers = players.reduce((sum, { answered }) => sum + answered, 0);
  expect(executed).toHaveLength(answers);

  const waits = players.flatMap((player) => player.waits).sort((a, b) => a - b);
  expect(waits.length).toBeGreaterThanOrEqual(CLIENTS * RESTARTS);
  const at = (share: number) => Math.round(waits[Math.floor(share * (waits.length - 1))] ?? 0);
  const pushes = [...accepted.values()].reduce((sum, { length }) => sum + length, 0);
  process.stdout.write(
    `rolling restart: ${RESTARTS} restarts, ${CLIENTS} clients, ${answers} requests, ${pushes} pushes; ` +
      `clients waited ${at(0.5)} ms (median), ${at(0.99)} ms (p99), ${at(1)} ms at most\n`,
  );
});
