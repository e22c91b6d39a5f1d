import { expect, test } from '@jest/globals';
import { registerBenchCommand } from '../../../src/cli/bench.js';
import { registerClientCommand } from '../../../src/cli/client.js';
import { registerDemoCommand } from '../../../src/cli/demo.js';
import { registerTraceCommand } from '../../../src/cli/trace.js';
import { registerUpstreamCommand } from '../../../src/cli/upstream.js';
import { CliRun } from '../../support/cli-run.js';

const ACTION_MISSING = 'means nothing without --action: say what to ask for, or leave it out';

test.each([
  ['client --json --action x', '--json means nothing without --performance: add that, or'],
  ['client --json', '--json means nothing without --performance'],
  ['client --listen 5', `--listen ${ACTION_MISSING}`],
  ['client --data hi', `--data ${ACTION_MISSING}`],
  ['client --param a=1', `--param ${ACTION_MISSING}`],
  ['client --header a=1', `--header ${ACTION_MISSING}`],
  ['client --raw', `--raw ${ACTION_MISSING}`],
  ['client --hello', `--hello ${ACTION_MISSING}`],
  ['client --performance --action x', '--action means nothing to --performance: leave it out'],
  ['client --performance --raw', '--raw means nothing to --performance: leave it out'],
  ['trace', 'give --openid or --session: whom to follow'],
  ['trace --openid a --session b', 'give --openid or --session: whom to follow'],
  ['demo --stay --failover', '--stay and --failover do not go together'],
  ['upstream --secret hush', '--secret is written env:NAME or file:PATH'],
  ['bench --mode idle --rate 5', '--rate means nothing to --mode idle: leave it out'],
  ['bench --mode broadcast --sessions 20000', 'open fewer, or say --everyone'],
  ['bench --mode echo --unary', '--unary'],
  ['bench --timeout 0', 'give more than 0.'],
  ['bench --duration 0', 'give more than 0.'],
  ['bench --mode idle --heartbeat 0', 'give more than 0.'],
  [`client --openid ${'x'.repeat(129)}`, 'give 1 to 128 bytes of UTF-8.'],
])('%s is refused in one line and ends with 2, before anything is done', async (line, message) => {
  const run = new CliRun(line.split(' '), (program, terminal, signals) => {
    registerClientCommand(program, terminal);
    registerTraceCommand(program, terminal, signals);
    registerDemoCommand(program, terminal, signals);
    registerUpstreamCommand(program, terminal, signals);
    registerBenchCommand(program, terminal, signals, { write: () => undefined });
  });
  expect([await run.code, run.out]).toEqual([2, '']);
  expect(run.err).toContain(message);
  expect(run.err).toMatch(/^gatesvr: [^\n]+\n$/);
  expect(run.err).not.toContain('hush\n');
});
