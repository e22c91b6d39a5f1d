import { expect } from '@jest/globals';
import { Command } from 'commander';
import { registerBenchCommand } from '../../../src/cli/bench.js';
import { registerCertsCommand } from '../../../src/cli/certs.js';
import { registerCheckConfigCommand } from '../../../src/cli/check-config.js';
import { registerClientCommand } from '../../../src/cli/client.js';
import { registerDemoCommand } from '../../../src/cli/demo.js';
import { registerHealthcheckCommand } from '../../../src/cli/healthcheck.js';
import { registerSwitchCommand } from '../../../src/cli/switch.js';
import { registerTraceCommand } from '../../../src/cli/trace.js';
import { registerMonitorCommand } from '../../../src/cli/monitor.js';
import { registerServeCommand } from '../../../src/cli/serve.js';
import { registerUpstreamCommand } from '../../../src/cli/upstream.js';

const terminal = { out: () => undefined, err: () => undefined, debug: false };
const program = new Command();
registerServeCommand(program, terminal, () => Promise.reject(new Error('not to be started')));
registerCheckConfigCommand(program, terminal);
registerHealthcheckCommand(program, terminal);
registerDemoCommand(program, terminal);
registerUpstreamCommand(program, terminal);
registerClientCommand(program, terminal);
registerMonitorCommand(program, terminal);
registerSwitchCommand(program, terminal);
registerTraceCommand(program, terminal);
registerBenchCommand(program, terminal);
registerCertsCommand(program, terminal);

/** Fails on a command, or an option of it, that the program does not have. */
export function expectCommandLine([name = '', ...words]: readonly string[]): void {
  const command = program.commands.find((known) => known.name() === name);
  expect([name, command?.name()]).toEqual([name, name]);
  const known = command?.options.flatMap(({ long, short }) => [long, short]) ?? [];
  const options = words.filter((word) => /^--?[a-z]/.test(word));
  expect(options.filter((word) => !known.includes(word))).toEqual([]);
}
