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
Asks either gateway of a pair; without --to it takes the other role. Returns when it has it, or when it is known
that it will not.
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
    const { role: before } = await pairAt(client);
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

/** Of /backup/stats. An older gateway does not say how a switch goes. */
interface Pair {
  readonly role?: unknown;
  readonly switching?: unknown;
  readonly switch_failure?: unknown;
}

async function pairAt(client: OpsClient): Promise<Pair> {
  const stats = await client.get('/backup/stats');
  return typeof stats === 'object' && stats !== null ? stats : {};
}

/** @returns seconds that it took. @throws {Error} why it did not come about, as soon as that is known. */
async function until(client: OpsClient, wanted: Role): Promise<number> {
  const began = performance.now();
  for (;;) {
    const pair = await pairAt(client);
    if (pair.role === wanted) return (performance.now() - began) / 1000;
    refuseLost(pair);
    if (performance.now() - began > PATIENCE_MS) {
      throw new Error('the roles have not changed; see the log of the primary');
    }
    await pause(POLL_MS);
  }
}

function refuseLost({ role, switching, switch_failure: failure }: Pair): void {
  if (typeof failure === 'string' && failure !== '') {
    throw new Error(`the switch did not come about: ${failure}`);
  }
  if (switching === false) {
    throw new Error(`the switch was lost, the gateway is ${String(role)}; see its log`);
  }
}
