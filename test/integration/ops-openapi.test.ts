import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/base/clock.js';
import { VERSION } from '../../src/config/version.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { openApiDocument } from '../../src/ops/openapi/document.js';
import type { OpsServer } from '../../src/ops/ops-server.js';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { HeardStream } from '../support/heard-stream.js';
import { OpsBench, ask } from '../support/ops-double.js';
import type { Answer } from '../support/ops-double.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const document = openApiDocument(VERSION);
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(document, 'openapi');

/** What is wrong with an answer by the document; empty where nothing is. */
function faults(method: string, path: string, { status, headers, text }: Answer): unknown[] {
  const operation = document.paths[path]?.[method] as
    { responses: Record<string, { content: Record<string, unknown> }> } | undefined;
  const content = operation?.responses[status]?.content;
  if (content === undefined) return [`${method} ${path} may not answer ${status}: ${text}`];
  const type = (headers['content-type'] ?? '').split(';', 1)[0] ?? '';
  if (!(type in content)) return [`${method} ${path} may not answer ${type}`];
  if (type !== 'application/json') return [];
  const parts = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
  const pointer = parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  const validate = ajv.compile({ $ref: `openapi#/${encodeURI(pointer)}` });
  return validate(JSON.parse(text)) ? [] : (validate.errors ?? ['invalid']);
}

/** method, path of the document, URL, body. */
type Question = readonly [string, string, string, string?];

/** Answers that last as long as somebody listens: their head is enough. */
const STREAMS = new Set(['/stats/stream']);

async function answerOf(port: number, [method, , path, body]: Question, origin?: string) {
  if (STREAMS.has(path)) {
    const { response, close } = await HeardStream.open(port, path);
    const { statusCode: status = 0, headers } = response;
    close();
    return { status, headers, text: '', bytes: Buffer.alloc(0) };
  }
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const headers = { ...type, ...(origin === undefined ? {} : { origin }) };
  return ask({ port, path, method: method.toUpperCase(), headers }, body);
}

describe('the OpenAPI document', () => {
  it('is the one in docs/ (npm run docs writes it)', () => {
    const written = readFileSync(join(root, 'docs', 'openapi.json'), 'utf8');
    expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('names every endpoint, and no other', () => {
    const source = readdirSync(join(root, 'src', 'ops'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, 'src', 'ops', name), 'utf8'))
      .join('\n');
    const served = [...source.matchAll(/routes\.(get|post|put|delete)\(\s*'([^']+)'/g)]
      .map(([, method, path]) => `${method} ${path?.replace(/:(\w+)/g, '{$1}')}`)
      .filter((name) => name !== 'get /metrics' && !name.startsWith('get /console'));
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.sort()).toEqual(served.sort());
  });

  it('tells a wrong answer from a right one', () => {
    const answer = (value: unknown) => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      text: JSON.stringify(value),
      bytes: Buffer.alloc(0),
    });
    expect(faults('get', '/live', answer({ status: 'alive' }))).toEqual([]);
    expect(faults('get', '/live', answer({ status: 'dead' }))).not.toEqual([]);
    expect(faults('get', '/live', answer({ status: 'alive', more: 1 }))).not.toEqual([]);
    expect(faults('get', '/live', answer({}))).not.toEqual([]);
    expect(faults('get', '/live', { ...answer({}), status: 404 })).not.toEqual([]);
  });
});

describe('answers of a gateway with a client', () => {
  let harness: GatewayHarness;
  let gateway: Gateway;
  let client: GatewayClient;

  beforeAll(async () => {
    harness = new GatewayHarness();
    gateway = await harness.gateway({
      'server.http_addr': '127.0.0.1:0',
      'routing.services': 'login',
      'routing.rules':
        '[{"action_prefix":"login.","service":"login"},{"openid_from":"x","zone":"002"}]',
    });
    for (const zone of ZONES) {
      await harness.upstream(gateway, zone, (server) => server.handle('echo', () => ({})));
    }
    const address = `127.0.0.1:${gateway.quicPort}`;
    client = new GatewayClient({ ...PATIENT_CLIENT, address, openid: 'ann', insecure: true });
    await client.connect();
    await client.request('echo', { data: Buffer.from('x') });
  });

  afterAll(async () => {
    client.close();
    await harness.close();
  });

  it('are as described, up to the end of the session and the gateway’s draining', async () => {
    const stats = await ask({ port: gateway.httpPort, path: '/stats?limit=1' });
    const [session] = (JSON.parse(stats.text) as { sessions: { session_id: string }[] }).sessions;
    const one = `/sessions/${session?.session_id}`;
    const questions: Question[] = [
      ['get', '/live', '/live'],
      ['get', '/ready', '/ready'],
      ['get', '/ping', '/ping'],
      ['get', '/health', '/health'],
      ['get', '/stats', '/stats'],
      ['get', '/stats', '/stats?limit=x'],
      ['get', '/stats/stream', '/stats/stream'],
      ['get', '/routing', '/routing'],
      ['get', '/performance', '/performance'],
      ['get', '/sessions/{id}', one],
      ['get', '/sessions/{id}', '/sessions/nobody'],
      ['get', '/log/level', '/log/level'],
      ['put', '/log/level', '/log/level', '{"level":"error"}'],
      ['put', '/log/level', '/log/level', '{"level":"loud"}'],
      // Its 200 never ends: gateway-trace.test.ts.
      ['get', '/trace', '/trace'],
      ['get', '/trace', '/trace?openid=ann&payload=2'],
      ['get', '/trace', '/trace?session=nobody'],
      ['get', '/openapi.json', '/openapi.json'],
      ['get', '/debug/pprof', '/debug/pprof'],
      ['get', '/debug/pprof/', '/debug/pprof/'],
      ['get', '/debug/pprof/profile', '/debug/pprof/profile?seconds=1'],
      ['get', '/debug/pprof/profile', '/debug/pprof/profile?seconds=0'],
      ['get', '/debug/pprof/heap', '/debug/pprof/heap?seconds=1'],
      ['get', '/debug/pprof/heap', '/debug/pprof/heap?gc=2'],
      ['get', '/backup/stats', '/backup/stats'],
      ['post', '/backup/switch', '/backup/switch?mode=backup'],
      ['post', '/backup/switch', '/backup/switch?mode=other'],
      ['post', '/backup/solo', '/backup/solo'],
      ['post', '/sessions/{id}/kick', `${one}/kick`, '{"reason":""}'],
      ['post', '/sessions/{id}/kick', `${one}/kick`, '{"reason":"spam"}'],
      ['post', '/sessions/{id}/kick', `${one}/kick`, '{}'],
      ['post', '/drain', '/drain'],
      ['get', '/ready', '/ready'],
    ];
    for (const question of questions) {
      const [method, path, url] = question;
      const answer = await answerOf(gateway.httpPort, question);
      expect([url, faults(method, path, answer)]).toEqual([url, []]);
    }
    const asked = new Set(questions.map(([method, path]) => `${method} ${path}`));
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) expect(asked).toContain(`${method} ${path}`);
    }
  });
});

describe('refusals', () => {
  let bench: OpsBench;
  let ops: OpsServer;

  beforeAll(async () => {
    bench = new OpsBench();
    ops = bench.build({ clock: new SystemClock(), metricsAddr: null });
    await ops.start();
  });

  afterAll(async () => {
    await ops.stop();
    await bench.stop();
  });

  it('are described wherever an admin is needed, and nowhere else', async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) {
        const question: Question = [method, path, path.replace('{id}', 's1')];
        const { status } = await answerOf(ops.httpPort, question, 'http://page.example');
        const { security = [] } = methods[method] as { security?: object[] };
        // Readers are asked for a token only where ops.read_token is set (ops-access.test.ts).
        const admins = security.length > 0 && 'admin' in (security[0] ?? {});
        expect([method, path, status === 401]).toEqual([method, path, admins]);
      }
    }
    expect(bench.double.done).toEqual([]);
  });

  it('while the gateway starts are described', async () => {
    bench.double.state = 'starting';
    const question: Question = ['post', '/drain', '/drain'];
    expect(faults('post', '/drain', await answerOf(ops.httpPort, question))).toEqual([]);
  });
});
