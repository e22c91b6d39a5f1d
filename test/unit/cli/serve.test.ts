import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerCertsCommand } from '../../../src/cli/certs.js';
import { createProgram, runProgram } from '../../../src/cli/program.js';
import { registerServeCommand } from '../../../src/cli/serve.js';
import type { RunnableGateway } from '../../../src/cli/serve.js';
import { StartupError } from '../../../src/base/errors.js';
import type { Config } from '../../../src/config/config.js';

/** Signals that a test sends; exit is noted instead of done. */
class Signals extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }
}

class Session {
  out = '';
  err = '';
  readonly signals = new Signals();
  readonly calls: string[] = [];
  /** Its standard input is one. */
  isTerminal = false;
  config: Config | null = null;
  /** What the gateway was told of reloads that came to nothing. */
  readonly problems: string[] = [];

  /** Runs a command line with a gateway that only notes what is asked of it. */
  run(line: string, gateway: Partial<RunnableGateway> = {}, debug = false): Promise<number> {
    const terminal = {
      out: (text: string) => void (this.out += text),
      err: (text: string) => void (this.err += text),
      debug,
    };
    const program = createProgram(terminal);
    const create = ({ config }: { config: Config }): Promise<RunnableGateway> => {
      this.config = config;
      return Promise.resolve({
        start: () => this.note('start', gateway.start),
        stop: () => this.note('stop', gateway.stop),
        reload: (reloaded) => {
          this.config = reloaded;
          return this.note('reload');
        },
        notReloaded: (problems) => void this.problems.push(...problems),
      });
    };
    registerServeCommand(program, terminal, create, this.signals, () => this.isTerminal);
    registerCertsCommand(program, terminal);
    return runProgram(
      program,
      line.split(' ').filter((word) => word !== ''),
      terminal,
    );
  }

  private async note(call: string, step?: () => Promise<void>): Promise<void> {
    this.calls.push(call);
    await step?.();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('serve', () => {
  it('starts, waits for a signal and stops', async () => {
    const session = new Session();
    const code = session.run('serve --quic-addr :0 --log-level warn --set quic.migration=drop');
    await turn();
    await turn();
    expect(session.calls).toEqual(['start']);
    session.signals.emit('SIGTERM', 'SIGTERM');
    expect(await code).toBe(0);
    expect(session.calls).toEqual(['start', 'stop']);
    expect(session.signals.exits).toEqual([]);
    expect(session.signals.listenerCount('SIGTERM')).toBe(0);
    expect(session.config).toMatchObject({
      server: { quicAddr: { port: 0 } },
      log: { level: 'warn' },
      quic: { migration: 'drop' },
    });
  });

  it('exits at once on the second signal while a stop hangs', async () => {
    const session = new Session();
    let finish = (): void => undefined;
    const stop = () => new Promise<void>((resolve) => (finish = resolve));
    const code = session.run('serve --quic-addr :0', { stop });
    await turn();
    await turn();
    session.signals.emit('SIGINT', 'SIGINT');
    await turn();
    expect(session.signals.exits).toEqual([]);
    session.signals.emit('SIGINT', 'SIGINT');
    expect(session.signals.exits).toEqual([130]);
    finish();
    expect(await code).toBe(0);
  });

  it('tells in lines why a start failed, and leaves nothing behind', async () => {
    const session = new Session();
    const start = () => Promise.reject(new StartupError('PORT_IN_USE', 'port 1 is taken\nso is 2'));
    expect(await session.run('serve --quic-addr :0', { start })).toBe(1);
    expect(session.err).toBe('gatesvr: port 1 is taken\ngatesvr: so is 2\n');
    expect(session.calls).toEqual(['start', 'stop']);
  });

  it('shows a stack only where asked', async () => {
    const start = () => Promise.reject(new TypeError('x is not a function'));
    const quiet = new Session();
    expect(await quiet.run('serve --quic-addr :0', { start })).toBe(1);
    expect(quiet.err).toBe('gatesvr: x is not a function (GATESVR_DEBUG=1 shows where)\n');
    const loud = new Session();
    expect(await loud.run('serve --quic-addr :0', { start }, true)).toBe(1);
    expect(loud.err).toContain('at ');
  });

  it('checks a configuration without running it', async () => {
    const good = new Session();
    expect(await good.run('serve --check --config test-config.yaml')).toBe(0);
    expect(good.out).toMatch(/^settings that differ .*\n(?:.*\n)*the configuration is valid\n$/);
    const bad = new Session();
    expect(await bad.run('serve --check --quic-addr=zz --log-level loud --set a.b=1')).toBe(1);
    expect(bad.err.split('\n')).toHaveLength(4);
    expect(bad.err).toMatch(/^gatesvr: --set a\.b: unknown key a\.b\n/);
    expect(bad.err).toContain('gatesvr: --log-level: log.level must be');
    expect([...good.calls, ...bad.calls]).toEqual([]);
  });

  it('is what bare flags of deployed scripts mean', async () => {
    const session = new Session();
    expect(await session.run('-config=/no/such.yaml')).toBe(1);
    expect(session.err).toBe('gatesvr: cannot read configuration /no/such.yaml: no such file\n');
  });
});

describe('the command line', () => {
  it.each([
    ['serv', "unknown command 'serv' (Did you mean serve?)"],
    ['serve --confg=a', "unknown option '--confg=a' (Did you mean --config?)"],
    ['serve --config', "option '-c, --config <file>' argument missing"],
    ['serve --set x', 'write it as key=value.'],
    ['serve extra', 'too many arguments'],
    ['certs --days 0', 'give whole days from 1 to 3650.'],
    ['certs --hosts a,,b', 'give names or IP addresses separated by commas.'],
  ])('refuses %p with one line and exit code 2', async (line, message) => {
    const session = new Session();
    expect(await session.run(line)).toBe(2);
    expect(session.err).toContain(message);
    expect(session.err).toMatch(/^gatesvr: [^\n]+\n$/);
  });

  it('explains itself', async () => {
    const bare = new Session();
    expect(await bare.run('')).toBe(0);
    expect(bare.out).toContain('Examples:');
    const help = new Session();
    expect(await help.run('serve --help')).toBe(0);
    expect(help.out).toContain('--quic-addr <value>');
    const version = new Session();
    expect(await version.run('--version')).toBe(0);
    expect(version.out).toMatch(/^gatesvr \d+\.\d+\.\d+\n$/);
  });
});

describe('SIGHUP', () => {
  it('reloads the configuration; one with problems changes nothing and says why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatesvr-hup-'));
    const file = join(folder, 'gatesvr.yaml');
    const write = (level: string): void => writeFileSync(file, `log:\n  level: ${level}\n`);
    write('info');
    const session = new Session();
    const running = session.run(`serve --config ${file}`);
    await turn();
    write('debug');
    session.signals.emit('SIGHUP', 'SIGHUP');
    await turn();
    expect(session.config?.log.level).toBe('debug');
    write('loud');
    session.signals.emit('SIGHUP', 'SIGHUP');
    await turn();
    expect(session.config?.log.level).toBe('debug');
    expect(session.err).toMatch(/not reloaded: .*log\.level/);
    expect(session.problems).toEqual([expect.stringMatching(/^\S+:2: log\.level must be/)]);
    session.signals.emit('SIGTERM', 'SIGTERM');
    expect(await running).toBe(0);
    expect(session.calls).toEqual(['start', 'reload', 'stop']);
    expect(session.signals.listenerCount('SIGHUP')).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('does not end a process that is only about to start: it reloads once that can', async () => {
    const session = new Session();
    const running = session.run('serve');
    // The modules of the gateway are being loaded.
    expect([session.calls, session.signals.listenerCount('SIGHUP')]).toEqual([[], 1]);
    session.signals.emit('SIGHUP', 'SIGHUP');
    session.signals.emit('SIGHUP', 'SIGHUP');
    await turn();
    expect(session.calls.toSorted()).toEqual(['reload', 'start']);
    session.signals.emit('SIGTERM', 'SIGTERM');
    expect(await running).toBe(0);
    expect(session.signals.listenerCount('SIGHUP')).toBe(0);
  });

  it('reloads at a terminal, and stops once that is closed, however often it is told', async () => {
    const session = new Session();
    session.isTerminal = true;
    const running = session.run('serve');
    await turn();
    session.signals.emit('SIGHUP', 'SIGHUP');
    await turn();
    expect(session.calls).toEqual(['start', 'reload']);
    session.isTerminal = false;
    session.signals.emit('SIGHUP', 'SIGHUP');
    session.signals.emit('SIGHUP', 'SIGHUP');
    expect(await running).toBe(0);
    expect(session.calls).toEqual(['start', 'reload', 'stop']);
    expect(session.signals.exits).toEqual([]);
  });
});
