import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { parseAddress } from '../base/address.js';
import { StartupError, messageOf } from '../base/errors.js';
import type { RegistrationReport } from '../sdk/upstream/index.js';
import { DEMO_ACTIONS } from './demo-action-names.js';
import { hostPorts } from './option-values.js';
import type { Terminal } from './program.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';
import { UsageError } from './usage-error.js';

interface UpstreamOptions {
  readonly zone: string;
  readonly addr: string;
  readonly gateway: readonly string[];
  readonly advertise?: string;
  readonly name: string;
  readonly secret?: string;
  readonly stream: boolean;
}

/** `gatesvr upstream`: the demo service of one zone, until SIGTERM or SIGINT. */
export function registerUpstreamCommand(
  program: Command,
  terminal: Terminal,
  signals: SignalSource = process,
): void {
  program
    .command('upstream')
    .description('run a demo upstream service and register it at a gateway')
    .option('--zone <zone>', 'the zone to serve, 001 to 006, or a service', parseZone, '001')
    .option(
      '--addr <address>',
      'where to listen, host:port or :port',
      parseListen,
      'localhost:9001',
    )
    .option('--gateway <addresses>', 'gRPC address of each gateway, by commas', hostPorts, [
      'localhost:8092',
    ])
    .option('--advertise <address>', 'the address to register, where it differs from --addr')
    .option('--name <name>', 'the service name to register', 'demo')
    .option('--secret <from>', "where the gateways' grpc.secret is: env:NAME or file:PATH")
    .option('--no-stream', 'serve ProcessRequest only, not ProcessStream')
    .addHelpText('after', `\nActions: ${DEMO_ACTIONS.join(', ')}`)
    .action((options: UpstreamOptions) => runUpstream(options, terminal, signals));
}

async function runUpstream(
  options: UpstreamOptions,
  terminal: Terminal,
  signals: SignalSource,
): Promise<void> {
  const { zone, addr, gateway, advertise, name, secret, stream } = options;
  const access = secret === undefined ? {} : { access: { secret: readSecret(secret) } };
  // gRPC is loaded only when it is needed: every command starts faster.
  const [{ UpstreamServer }, { DemoActions }] = await Promise.all([
    import('../sdk/upstream/index.js'),
    import('./demo-actions.js'),
  ]);
  const server = new UpstreamServer({
    zone,
    serviceName: name,
    listen: addr,
    gateways: gateway,
    stream,
    ...(advertise === undefined ? {} : { advertise }),
    ...access,
    onRegistration: reporter(terminal, zone, gateway.length > 1),
    onError: (error, action) =>
      terminal.err(`gatesvr: action ${action} failed: ${String(error)}\n`),
  });
  new DemoActions(server, zone);
  const signal = new UntilSignal(signals, true);
  try {
    await Promise.race([server.start(), signal.told]);
    await signal.told;
  } finally {
    await server.stop();
    signal.end();
  }
}

/**
 * Prints what happens at each gateway, and a repeated failure once.
 * @param several one that refuses for good ends nothing; the only one does, and that says it.
 */
function reporter(
  terminal: Terminal,
  zone: string,
  several: boolean,
): (report: RegistrationReport) => void {
  const last = new Map<string, string>();
  return ({ gateway, outcome, message }) => {
    if (outcome === 'registered') {
      last.delete(gateway);
      terminal.out(`zone ${zone}: registered at ${gateway}: ${message}\n`);
    } else if (outcome === 'refused' && several) {
      terminal.err(`gatesvr: ${gateway} refused the registration for good: ${message}\n`);
    } else if (outcome === 'retrying' && last.get(gateway) !== message) {
      last.set(gateway, message);
      terminal.err(`gatesvr: ${message}; is that gateway running? trying again\n`);
    }
  };
}

function parseZone(text: string): string {
  if (/^(?:00[1-6]|[a-z][a-z0-9_-]{0,31})$/.test(text)) return text;
  throw new InvalidArgumentError('zones are 001 to 006, services are named in small letters.');
}

/**
 * Never from the command line itself: every user of the machine can read that. Not an option's parser
 * either, for commander repeats in its message what was given.
 * @throws {UsageError} without what was given; {StartupError} BAD_SECRET where there is none.
 */
function readSecret(from: string): string {
  const [, kind, name = ''] = /^(env|file):(.+)$/s.exec(from) ?? [];
  if (kind === undefined) {
    const advice = 'the secret itself would be seen by every user of this machine';
    throw new UsageError(`--secret is written env:NAME or file:PATH; ${advice}`);
  }
  const secret = kind === 'env' ? (process.env[name] ?? '').trim() : readSecretFile(name);
  if (secret !== '') return secret;
  const what = kind === 'env' ? 'the variable' : 'the file';
  throw new StartupError('BAD_SECRET', `--secret: ${what} ${name} is empty`);
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new StartupError('BAD_SECRET', `--secret: cannot read ${path}: ${messageOf(error)}`);
  }
}

function parseListen(text: string): string {
  if (parseAddress(text) !== null) return text;
  throw new InvalidArgumentError('write it as host:port, or :port for every address.');
}
