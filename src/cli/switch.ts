import { Option } from 'commander';
import type { Command } from 'commander';
import { setTimeout as pause } from 'node:timers/promises';
import { CodedError, messageOf } from '../base/errors.js';
import { OpsClient } from './ops-client.js';
import { addOpsAccessOptions, opsTarget, tokenVariable } from './ops-access.js';
import type { OpsAccessOptions } from './ops-access.js';
import { httpUrl } from './option-values.js';
import type { Terminal } from './program.js';

type Role = 'primary' | 'backup';

interface SwitchOptions extends OpsAccessOptions {
  readonly to?: Role;
  readonly solo?: boolean;
}

const TOKEN_VARIABLE = tokenVariable('ops.admin_token');
/** A switch drains first: longer than server.drain_timeout by default, and a failover, ms. */
const PATIENCE_MS = 60_000;
const POLL_MS = 100;

const HELP = `
Asks either gateway of a pair; without --to it takes the other role. Returns when it has it.
--solo is for the one that is left and waits (docs/HIGH-AVAILABILITY.md): say it only where the other one is
down, for two that serve have two histories.
A token is read from --token-file, or from ${TOKEN_VARIABLE}.`;

/** `gatesvr switch`: the planned switch of a pair, for upgrades without downtime. */
export function registerSwitchCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('switch')
    .description('let the two gateways of a pair change roles, without losing anything')
    .option('--url <url>', 'HTTP address of either', httpUrl, new URL('http://127.0.0.1:8080'))
    .addOption(new Option('--to <role>', 'what that one shall be').choices(['primary', 'backup']))
    .addOption(
      new Option('--solo', 'its peer is gone for good: let it serve alone').conflicts('to'),
    )
    .addHelpText('after', HELP);
  addOpsAccessOptions(command, 'ops.admin_token').action((options: SwitchOptions) =>
    runSwitch(options, terminal),
  );
}

async function runSwitch(options: SwitchOptions, terminal: Terminal): Promise<void> {
  const { url } = options;
  const client = new OpsClient(opsTarget(options, [TOKEN_VARIABLE]));
  try {
    if (options.solo === true) {
      await client.post('/backup/solo');
      terminal.out(`${url.host} serves alone now\n`);
      return;
    }
    const before = await roleAt(client);
    const wanted = options.to ?? (before === 'primary' ? 'backup' : 'primary');
    await client.post(`/backup/switch?mode=${wanted}`);
    const took = await until(client, wanted);
    terminal.out(`${url.host} is ${wanted} now, after ${took.toFixed(1)} s\n`);
  } catch (error) {
    throw new CodedError('NOT_SWITCHED', messageOf(error), { cause: error });
  } finally {
    client.close();
  }
}

async function roleAt(client: OpsClient): Promise<unknown> {
  const stats = await client.get('/backup/stats');
  return typeof stats === 'object' && stats !== null && 'role' in stats ? stats.role : undefined;
}

/** @returns seconds that it took. */
async function until(client: OpsClient, wanted: Role): Promise<number> {
  const began = performance.now();
  while ((await roleAt(client)) !== wanted) {
    if (performance.now() - began > PATIENCE_MS) {
      throw new Error('the roles have not changed; see the log of the primary');
    }
    await pause(POLL_MS);
  }
  return (performance.now() - began) / 1000;
}
