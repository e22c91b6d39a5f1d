import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gatesvr-streams-'));
const FREE_PORTS = ['quic', 'grpc', 'http', 'metrics'].map((name) => `--${name}-addr=127.0.0.1:0`);

let child: ChildProcess | null = null;
afterEach(() => void child?.kill('SIGKILL'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts the built program with these for its standard input, output and error. */
function gatesvr(stdio: ('ignore' | 'pipe' | number)[], ...argv: string[]): ChildProcess {
  if (!existsSync(main)) throw new Error('dist/ is missing: run make build first');
  return (child = spawn(process.execPath, [main, ...argv], { cwd: folder, stdio }));
}

const exitOf = (process: ChildProcess) =>
  new Promise<number | null>((resolve) => process.once('close', resolve));

/** Resolves once a stream of it has said so. */
function saying(process: ChildProcess, stream: 'stdout' | 'stderr', what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    process[stream]?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(what)) resolve(said);
    });
    process.once('close', () => reject(new Error(`never said ${what}: ${said}`)));
  });
}

describe('serve, its standard output on a full disk', () => {
  // The only device that is always full.
  const onLinux = existsSync('/dev/full') ? test : test.skip;
  onLinux.each(['json', 'pretty'])('serves and stops (%s)', async (format) => {
    const full = openSync('/dev/full', 'w');
    const state = join(folder, `${format}.state`);
    const settings = [`--log-format=${format}`, `--state-file=${state}`];
    const gateway = gatesvr(['ignore', full, 'pipe'], 'serve', ...FREE_PORTS, ...settings);
    closeSync(full);
    const exited = exitOf(gateway);
    expect(await saying(gateway, 'stderr', '\n')).toMatch(
      /^gatesvr: standard output: lines are lost: ENOSPC[^\n]*\n$/,
    );
    gateway.kill('SIGTERM');
    expect(await exited).toBe(0);
    // Written by none but a gateway that served.
    expect(existsSync(state)).toBe(true);
  });
});
