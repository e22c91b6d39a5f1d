#!/usr/bin/env node
import { registerBenchCommand } from './bench.js';
import { registerCertsCommand } from './certs.js';
import { registerCheckConfigCommand } from './check-config.js';
import { registerClientCommand } from './client.js';
import { registerDemoCommand } from './demo.js';
import { optimizeEarly } from './early-optimization.js';
import { registerHealthcheckCommand } from './healthcheck.js';
import { registerMonitorCommand } from './monitor.js';
import { createProgram, runProgram } from './program.js';
import { registerServeCommand } from './serve.js';
import { StandardStreams } from './standard-streams.js';
import { registerSwitchCommand } from './switch.js';
import { registerTraceCommand } from './trace.js';
import { registerUpstreamCommand } from './upstream.js';

const debug = Boolean(process.env['GATESVR_DEBUG']);
const terminal = new StandardStreams(process.stdout, process.stderr, debug, (status) =>
  process.exit(status),
);
const program = createProgram(terminal);
registerServeCommand(program, terminal, async ({ config, warnings }) => {
  terminal.outlive();
  optimizeEarly();
  const { Gateway } = await import('../gateway/gateway.js');
  return new Gateway(config, warnings);
});
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
const code = await runProgram(program, process.argv.slice(2), terminal);
await terminal.drained();
process.exit(code);
