import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const SOURCES = ['base/clock', 'quic/watchdog'];
let folder: string;

/** The watchdog's sources as plain modules: a process of its own cannot load TypeScript. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-watchdog-'));
  for (const source of SOURCES) {
    const text = readFileSync(join(here, '../../src', `${source}.ts`), 'utf8');
    const { code } = transformSync(text, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
    });
    const name = source.replace('/', '-');
    writeFileSync(
      join(folder, `${name}.mjs`),
      code.replace('../base/clock.js', './base-clock.mjs'),
    );
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program with a watchdog of `patience` ms; it says `ready` once the watchdog watches. */
function start(patience: number, program: string): ChildProcess {
  const text = `
    import { Watchdog } from './quic-watchdog.mjs';
    const watchdog = new Watchdog(${patience});
    watchdog.start();
    watchdog.start();
    const keepAlive = setInterval(() => {}, 1000);
    await new Promise((done) => setTimeout(done, 700));
    console.log('ready');
    ${program}
  `;
  return spawn(process.execPath, ['--input-type=module', '-e', text], { cwd: folder });
}

function end(child: ChildProcess): Promise<{ signal: string | null; code: number | null }> {
  return new Promise((done) => child.once('close', (code, signal) => done({ signal, code })));
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((done) => child.stdout?.once('data', () => done()));
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('the watchdog', () => {
  it('kills a process whose event loop hangs, and says why', async () => {
    const child = start(1_000, 'for (;;);');
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    expect(await end(child)).toEqual({ signal: 'SIGKILL', code: null });
    expect(said).toContain('event loop has not turned for 1 s');
  });

  it('leaves a process alone that was stopped for longer than its patience, and continued', async () => {
    const child = start(1_000, `process.on('SIGTERM', () => process.exit(7));`);
    await ready(child);
    child.kill('SIGSTOP');
    await pause(2_500);
    child.kill('SIGCONT');
    await pause(1_200);
    expect(child.exitCode).toBeNull();
    expect(child.signalCode).toBeNull();
    const ended = end(child);
    child.kill('SIGTERM');
    expect(await ended).toEqual({ signal: null, code: 7 });
  });

  it('does not keep a process alive, and watches no more once stopped', async () => {
    const child = start(
      1_000,
      `await watchdog.stop(); await watchdog.stop(); clearInterval(keepAlive);
       const end = Date.now() + 2500; while (Date.now() < end); process.exitCode = 3;`,
    );
    expect(await end(child)).toEqual({ signal: null, code: 3 });
    const idle = start(1_000, 'clearInterval(keepAlive);');
    expect(await end(idle)).toEqual({ signal: null, code: 0 });
  });
});
