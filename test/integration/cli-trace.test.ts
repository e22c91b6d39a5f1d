import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registerTraceCommand } from '../../src/cli/trace.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { CliRun } from '../support/cli-run.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { until } from '../support/until.js';

const TOKEN = 'a-token-that-only-tests-know';
const harness = new GatewayHarness();
const runs: CliRun[] = [];
let gateway: Gateway;

beforeAll(async () => {
  gateway = await start('127.0.0.1:0');
  writeFileSync(join(harness.folder, 'token'), `${TOKEN}\n`);
});

afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.signals.emit('SIGINT', 'SIGINT');
    await run.code;
  }
});

afterAll(() => harness.close());

function start(httpAddr: string): Promise<Gateway> {
  return harness.gateway({ 'server.http_addr': httpAddr, 'ops.admin_token': TOKEN });
}

function trace(...argv: string[]): CliRun {
  const run = new CliRun(['trace', ...argv], registerTraceCommand);
  runs.push(run);
  return run;
}

const here = () => [
  ...['--url', `127.0.0.1:${gateway.httpPort}`],
  ...['--token-file', join(harness.folder, 'token')],
];

async function visit(openid: string): Promise<void> {
  const address = `127.0.0.1:${gateway.quicPort}`;
  const client = new GatewayClient({ ...PATIENT_CLIENT, address, openid, insecure: true });
  await client.connect();
  await client.stop();
}

describe('gatesvr trace', () => {
  test('prints a line per event, and ends with Ctrl-C', async () => {
    const run = trace('--openid', 'ann', ...here());
    await until(() => run.out.includes('ann, who has no session'));
    await visit('ann');
    await until(() => run.out.includes('closed'));
    expect(run.out).toMatch(/^[\d:.]{12} {2}-> {2}START +m\d+ +\d+ B {2}last_acked=0 /m);
    expect(run.out).toMatch(/^[\d:.]{12} {2}-- {2}ended +session \w+ reason=stop$/m);
    run.signals.emit('SIGINT', 'SIGINT');
    expect(await run.code).toBe(0);
    expect(run.err).toBe('');
  });

  test('prints JSON for machines', async () => {
    const run = trace('--openid', 'bob', '--json', '--payload', ...here());
    await until(() => run.out.includes('\n'));
    await visit('bob');
    await until(() => run.out.includes('"closed"'));
    const events = run.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events[0]).toMatchObject({ event: 'open', id: 1, openid: 'bob', payload: true });
    expect(events[1]).toMatchObject({ event: 'frame', id: 2, dir: 'in', type: 'START' });
  });

  test('waits for a gateway that restarts, and goes on', async () => {
    const run = trace('--openid', 'eve', ...here());
    await until(() => run.out.includes('watching'));
    const { httpPort } = gateway;
    await gateway.stop();
    await until(() => run.err !== '');
    gateway = await start(`127.0.0.1:${httpPort}`);
    await until(() => (run.out.match(/watching/g) ?? []).length === 2);
    await visit('eve');
    await until(() => run.out.includes('ended'));
    expect(run.err).toMatch(/^gatesvr: .+; trying again\n$/);
  });

  test.each([
    [['--openid', 'x', '--url', 'URL'], /Authorization: Bearer TOKEN \(--token-file\)/],
    [['--session', 'nobody', ...['--url', 'URL', '--token-file', 'TOKEN']], /no such session/],
    [['--openid', 'x', '--token-file', '/nowhere'], /cannot read \/nowhere/],
  ])('says in one line why it cannot: %j', async (argv, complaint) => {
    const url = `127.0.0.1:${gateway.httpPort}`;
    const file = join(harness.folder, 'token');
    const run = trace(...argv.map((word) => ({ URL: url, TOKEN: file })[word] ?? word));
    expect(await run.code).toBe(1);
    expect(run.err).toMatch(complaint);
    expect(run.err.trim().split('\n')).toHaveLength(1);
  });
});
