import type { Command } from 'commander';
import { CodedError, messageOf } from '../base/errors.js';
import { OpsClient } from './ops-client.js';
import { addOpsAccessOptions, opsTarget, tokenVariable } from './ops-access.js';
import type { OpsAccessOptions } from './ops-access.js';
import { httpUrl } from './option-values.js';
import type { Terminal } from './program.js';
import { eventLine } from './trace/event-line.js';
import { TraceFeed } from './trace/trace-feed.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';
import { UsageError } from './usage-error.js';

interface TraceOptions extends OpsAccessOptions {
  readonly openid?: string;
  readonly session?: string;
  readonly payload?: boolean;
  readonly json?: boolean;
}

const TOKEN_VARIABLE = tokenVariable('ops.admin_token');

const HELP = `
One line per event, until Ctrl-C: -> from the client, <- to it. A gateway that is away is waited for.
A token is read from --token-file, or from ${TOKEN_VARIABLE}.`;

/** `gatesvr trace`: what happens to one client, as it happens. */
export function registerTraceCommand(
  program: Command,
  terminal: Terminal,
  signals: SignalSource = process,
): void {
  const command = program
    .command('trace')
    .description('follow one client: its frames, its requests, why something is refused')
    .option('--url <url>', 'HTTP address of the gateway', httpUrl, new URL('http://127.0.0.1:8080'))
    .option('--openid <openid>', 'whom to follow, connected or not')
    .option('--session <id>', 'instead: the client whose session it is')
    .option('--payload', 'show data, headers and parameters of messages as well')
    .option('--json', 'print each event as one line of JSON')
    .addHelpText('after', HELP);
  addOpsAccessOptions(command, 'ops.admin_token').action((options: TraceOptions) =>
    runTrace(options, terminal, signals),
  );
}

async function runTrace(
  options: TraceOptions,
  terminal: Terminal,
  signals: SignalSource,
): Promise<void> {
  const { openid, session, payload = false, json = false } = options;
  if ((openid === undefined) === (session === undefined)) {
    throw new UsageError('give --openid or --session: whom to follow');
  }
  const client = new OpsClient(opsTarget(options, [TOKEN_VARIABLE]));
  const end = new AbortController();
  const signal = new UntilSignal(signals);
  void signal.told.then(() => end.abort());
  const feed = new TraceFeed(
    client,
    { openid, session, payload },
    {
      onEvent: (event) => {
        const { event: name, id, data } = event;
        terminal.out(`${json ? JSON.stringify({ event: name, id, ...data }) : eventLine(event)}\n`);
      },
      onAway: (reason) => terminal.err(`gatesvr: ${reason}; trying again\n`),
    },
  );
  try {
    await feed.run(end.signal);
  } catch (error) {
    throw new CodedError('NOT_TRACED', messageOf(error), { cause: error });
  } finally {
    signal.end();
    client.close();
  }
}
