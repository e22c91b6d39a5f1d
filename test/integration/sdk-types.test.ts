import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the package, so that `gatesvr/client` is found by its own exports, as in a consumer's node_modules. */
let folder: string;

beforeAll(() => {
  if (!existsSync(join(root, 'dist/sdk')))
    throw new Error('dist/ is missing: run make build first');
  folder = mkdtempSync(join(root, 'dist', 'consumer-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a strict compiler says about each of these programs of consumers. */
function compile(programs: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(programs).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  // Without skipLibCheck and the DOM, as Node services may be: nothing of ours may need either.
  const options =
    '--noEmit --strict --exactOptionalPropertyTypes --target es2022 --lib es2023 --module nodenext';
  const argv = [join(root, 'node_modules/typescript/bin/tsc'), ...options.split(' ')];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  // Their own programs only: a tsconfig of the package must not decide.
  const { stdout } = spawnSync(process.execPath, [...argv, ...types, '--ignoreConfig', ...files], {
    cwd: folder,
    encoding: 'utf8',
  });
  return stdout.split('\n').filter((line) => line !== '');
}

const PROGRAM = `
import {
  FileResumeStore, GatewayClient, GatewayClientError, RequestRefusedError, SessionRefusedError,
} from 'gatesvr/client';
import type {
  Answer, ClientErrorCode, ClientEvents, ClientMetrics, GatewayClientOptions, Push, ResumeState, ResumeStore, Transport,
} from 'gatesvr/client';

let saved: ResumeState | null = null;
const store: ResumeStore = { load: () => saved, save: (state) => void (saved = state) };
const metrics: ClientMetrics = { request: (action, outcome, elapsed) => console.log(action, outcome, elapsed) };
const options: GatewayClientOptions = {
  addresses: ['a:1', 'b:2'], openid: 'alice', token: async () => 'token',
  transport: 'auto', ack: 'handled', store, metrics, maxWaitingPushes: 10,
};
const client = new GatewayClient(options);
const off: () => void = client.on('reconnecting', ({ attempt, delay }) => console.log(attempt + delay));
client.on('closed', ({ error }: ClientEvents['closed']) => {
  if (error instanceof SessionRefusedError) console.log(error.status, error.detail);
});
const codeOf = (error: unknown): ClientErrorCode | string =>
  error instanceof GatewayClientError ? error.code : 'other';

export async function main(own: Transport): Promise<void> {
  off();
  new GatewayClient({ address: 'a', openid: 'bob', transport: own, store: new FileResumeStore('x') });
  const answer: Answer = await client.request('echo', { data: 'x', signal: AbortSignal.timeout(1) });
  console.log(answer.text, client.transport, client.waitingPushes);
  for await (const push of client.pushes({ onLeave: 'discard' })) {
    const typed: Push = push;
    console.log(typed.seq, typed.title, typed.json());
    break;
  }
  try {
    await client.connect();
  } catch (error) {
    if (error instanceof RequestRefusedError && error.retryable) console.log(error.status);
    console.log(codeOf(error));
  }
}
`;

const PAGE = `
import { ConnectError, GatewayClient, WebTransportTransport } from 'gatesvr/browser';
import type { GatewayClientOptions, Push, Transport } from 'gatesvr/browser';

const options: GatewayClientOptions = {
  address: 'a:1', openid: 'alice', token: async () => 'token', certificateHashes: ['ab'], keepSession: false,
};
const client = new GatewayClient(options);
client.onPush((push: Push) => (document.title = push.title));
export const own: Transport = new WebTransportTransport();
try {
  await client.request('echo', { signal: AbortSignal.timeout(1) });
} catch (error) {
  if (error instanceof ConnectError) client.wake();
}
`;

describe('the types of gatesvr/browser', () => {
  it('need nothing of Node', () => {
    const project = join(folder, 'tsconfig.json');
    const compilerOptions = {
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2023', 'dom'],
      types: [],
    };
    writeFileSync(join(folder, 'page.mts'), PAGE);
    writeFileSync(project, JSON.stringify({ compilerOptions, files: ['page.mts'] }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});

const UPSTREAM = `
import { QuicTransport, createQuicClient } from 'gatesvr/client';
import { PushError, UpstreamServer } from 'gatesvr/upstream';
import type { Handler, UpstreamServerOptions } from 'gatesvr/upstream';

const options: UpstreamServerOptions = { zone: '001', serviceName: 's', listen: ':1', gateways: [] };
const echo: Handler = (request) => ({ data: request.data });
const server = new UpstreamServer(options).handle('echo', echo);
await server.push({ openid: 'a', type: 'n', title: 't' }).catch((error: unknown) => {
  if (error instanceof PushError) console.log(error.code);
});
const shared = createQuicClient({ insecure: true });
export const transport = new QuicTransport({ shared });
await shared.stop();
`;

describe('the types of gatesvr/client', () => {
  it('let a strict consumer compile, and catch its mistakes', () => {
    const bad = PROGRAM.replace(`ack: 'handled'`, `ack: 'never'`).replace('.title', '.titel');
    const complaints = compile({
      'good.mts': PROGRAM,
      'upstream.mts': UPSTREAM,
      'bad.mts': bad,
    });
    expect(complaints.filter((line) => !line.startsWith('bad.mts'))).toEqual([]);
    expect(complaints).toEqual([
      expect.stringContaining(`'"never"' is not assignable`),
      expect.stringContaining(`'titel' does not exist`),
    ]);
  });
});
