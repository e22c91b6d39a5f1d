import { afterAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GatewayClient } from '../../src/sdk/client/index.js';
import { TokenIssuer } from '../support/token-issuer.js';
import { PATIENT_CLIENT } from '../support/patience.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-secrecy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ADDRESSES = ['quic', 'grpc', 'http', 'metrics'].map((name) => `--${name}-addr=127.0.0.1:0`);

/** The built program as a process, logging everything it can. */
class Process {
  output = '';
  private readonly child;
  private readonly exited: Promise<number | null>;

  constructor(...settings: string[]) {
    if (!existsSync(main)) throw new Error('dist/ is missing: run make build first');
    const logging = ['--log-level=trace', '--log-format=json'];
    const argv = [main, 'serve', ...ADDRESSES, ...logging, ...settings];
    this.child = spawn(process.execPath, argv, { cwd: folder });
    this.child.stdout.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = new Promise((resolve) => this.child.on('close', resolve));
  }

  /** The ports it says it serves on. */
  async ports(): Promise<Record<string, number>> {
    for (;;) {
      // The last one may still be on its way.
      const whole = this.output.split('\n').slice(0, -1);
      const line = whole.find((text) => text.includes('gateway is serving'));
      if (line !== undefined) return JSON.parse(line) as Record<string, number>;
      if (this.child.exitCode !== null) throw new Error(this.output);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}

/** Every file below a folder. */
function filesIn(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesIn(path) : [path];
  });
}

describe('tokens and the secret that signs them', () => {
  let gateway: Process | null = null;
  afterAll(() => gateway?.kill());

  test('appear in no log line, metric, answer to operators, refusal or file', async () => {
    const issuer = new TokenIssuer('HS256');
    gateway = new Process(
      '--set=auth.mode=jwt',
      `--set=auth.secret=${issuer.secret}`,
      `--state-file=${join(folder, 'gateway.state')}`,
    );
    const ports = await gateway.ports();
    const said: string[] = [];
    const tokens = [
      issuer.token({ sub: 'alice' }),
      issuer.token({ sub: 'mallory' }),
      issuer.token({ sub: 'alice', exp: 1_000 }),
      new TokenIssuer('RS256').token({ sub: 'alice' }),
      `${issuer.token({ sub: 'alice', pad: 'x'.repeat(9_000) })}`,
      'a token that is no token',
    ];
    for (const token of tokens) {
      const address = `127.0.0.1:${ports.quic}`;
      const client = new GatewayClient({
        ...PATIENT_CLIENT,
        address,
        openid: 'alice',
        token,
        insecure: true,
      });
      const outcome = await client.connect().then(
        () => 'accepted',
        (error: unknown) => JSON.stringify({ ...(error as object), text: String(error) }),
      );
      said.push(outcome);
      client.close();
    }
    expect(said.map((text) => text === 'accepted')).toEqual([
      true,
      ...Array<boolean>(5).fill(false),
    ]);
    for (const path of ['health', 'stats']) {
      said.push(await (await fetch(`http://127.0.0.1:${ports.http}/${path}`)).text());
    }
    said.push(await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text());
    expect(await gateway.stop()).toBe(0);
    expect(gateway.output.match(/"reason":"[a-z_]+"/g)).toEqual(
      ['wrong_subject', 'expired', 'algorithm', 'too_large', 'malformed'].map(
        (reason) => `"reason":"${reason}"`,
      ),
    );
    const kept = filesIn(folder).map((path) => readFileSync(path, 'latin1'));
    expect(kept.length).toBeGreaterThan(1);
    const everything = [gateway.output, ...said, ...kept].join('\n');
    for (const secret of [
      issuer.secret,
      ...tokens.flatMap((token) => [token, ...token.split('.')]),
    ]) {
      expect(everything).not.toContain(secret);
    }
  });
});
