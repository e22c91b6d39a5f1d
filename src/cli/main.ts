#!/usr/bin/env node
import { registerBenchCommand } from './bench.js';
import { registerCertsCommand } from './certs.js';
import { registerCheckConfigCommand } from './check-config.js';
import { registerClientCommand } from './client.js';
import { registerDemoCommand } from './demo.js';
import { registerMonitorCommand } from './monitor.js';
import { createProgram, runProgram } from './program.js';
import type { Terminal } from './program.js';
import { registerServeCommand } from './serve.js';
import { registerSwitchCommand } from './switch.js';
import { registerTraceCommand } from './trace.js';
import { registerUpstreamCommand } from './upstream.js';

const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  debug: Boolean(process.env['GATESVR_DEBUG']),
};
const program = createProgram(terminal);
registerServeCommand(program, terminal, async ({ config, warnings }) => {
  const { Gateway } = await import('../gateway/gateway.js');
  return new Gateway(config, warnings);
});
registerCheckConfigCommand(program, terminal);
registerDemoCommand(program, terminal);
registerUpstreamCommand(program, terminal);
registerClientCommand(program, terminal);
registerMonitorCommand(program, terminal);
registerSwitchCommand(program, terminal);
registerTraceCommand(program, terminal);
registerBenchCommand(program, terminal);
registerCertsCommand(program, terminal);
process.exit(await runProgram(program, process.argv.slice(2), terminal));
