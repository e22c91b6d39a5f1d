import type { Command } from 'commander';
import { CodedError } from '../base/errors.js';
import type { Deployment } from './demo/deployment.js';
import type { PlaygroundServer } from './demo/playground-server.js';
import type { Transcript } from './demo/transcript.js';
import type { Terminal } from './program.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';
import { UsageError } from './usage-error.js';

interface DemoOptions {
  readonly stay?: boolean;
  readonly failover?: boolean;
  readonly color: boolean;
}

const MS_PER_SECOND = 1_000;

/** `gatesvr demo`: a deployment's life in half a minute, verified claim by claim. */
export function registerDemoCommand(
  program: Command,
  terminal: Terminal,
  signals: SignalSource = process,
): void {
  program
    .command('demo')
    .description('play a deployment: gateway, six upstreams, clients, failures; check every claim')
    .option('--stay', 'keep it running afterwards, to be tried in a browser or with gatesvr client')
    .option('--failover', 'play a pair instead: kill -9 of the primary under load, planned switch')
    .option('--no-color', 'no colours on a terminal, either')
    .addHelpText('after', '\nEverything is on 127.0.0.1, on free ports, in a temporary folder.')
    .action((options: DemoOptions) => runDemo(options, terminal, signals));
}

/** What is played: it prepares by itself, and is cleared whatever happens. */
interface Production {
  readonly title: string;
  play(transcript: Transcript): Promise<void>;
  /** Where to look when a claim was false. */
  gatewayLog(): readonly string[];
  /** How the audience may go on with it. */
  howToTry(): Promise<string>;
  clear(): Promise<void>;
}

/** The gateway's code is loaded only when it is needed: every command starts faster. */
async function deploymentLife(stay: boolean): Promise<Production> {
  const [{ Stage }, { play }, { PlaygroundServer }] = await Promise.all([
    import('./demo/stage.js'),
    import('./demo/story.js'),
    import('./demo/playground-server.js'),
  ]);
  const stage = await Stage.prepare();
  let playground: PlaygroundServer | null = null;
  return {
    title: 'GateSvr: the life of a deployment, on this machine',
    play: (transcript) => play(stage, transcript, stay),
    gatewayLog: () => stage.deployment.gatewayLog(),
    howToTry: async () => {
      playground = await PlaygroundServer.of(stage.deployment);
      return howToTry(stage.deployment, playground.url);
    },
    clear: () => {
      playground?.close();
      return stage.clear();
    },
  };
}

async function failover(): Promise<Production> {
  const [{ PairStage }, { playFailover }] = await Promise.all([
    import('./demo/failover/pair-stage.js'),
    import('./demo/failover/pair-story.js'),
  ]);
  const stage = await PairStage.prepare();
  return {
    title: 'GateSvr: a primary, its standby, and what clients see of a failover',
    play: (transcript) => playFailover(stage, transcript),
    gatewayLog: () => stage.deployment.gatewayLog(),
    howToTry: () => Promise.resolve(''),
    clear: () => stage.clear(),
  };
}

/** @throws {CodedError} where a claim was false, or a signal came before the end. */
async function runDemo(
  options: DemoOptions,
  terminal: Terminal,
  signals: SignalSource,
): Promise<void> {
  const stay = options.stay === true;
  if (stay && options.failover === true) {
    throw new UsageError(
      '--stay and --failover do not go together: the failover ends with its pair',
    );
  }
  const { Transcript } = await import('./demo/transcript.js');
  const colours = options.color && process.stdout.isTTY && !process.env['NO_COLOR'];
  const transcript = new Transcript((text) => terminal.out(text), colours);
  const begun = performance.now();
  const signal = new UntilSignal(signals, true);
  const production = await (options.failover === true ? failover() : deploymentLife(stay));
  try {
    transcript.title(production.title);
    const interrupted = signal.told.then(() => 'interrupted' as const);
    const end = await Promise.race([production.play(transcript), interrupted]);
    if (end === 'interrupted') {
      transcript.mute();
      throw new CodedError('INTERRUPTED', 'the demo was interrupted');
    }
    if (transcript.failed > 0) terminal.err(lastLines(production.gatewayLog()));
    transcript.summary((performance.now() - begun) / MS_PER_SECOND);
    if (stay) {
      terminal.out(await production.howToTry());
      await signal.told;
    }
  } finally {
    await production.clear();
    signal.end();
  }
  if (transcript.failed > 0) {
    throw new CodedError('DEMO_FAILED', `${transcript.failed} of the demo's claims did not hold`);
  }
}

function lastLines(log: readonly string[]): string {
  return ['', 'the last lines of the gateway:', ...log.map((line) => `  ${line}`), ''].join('\n');
}

function howToTry({ place, processes, adminToken }: Deployment, playground: string): string {
  const program =
    process.argv[1]?.endsWith('main.js') === true ? 'node dist/cli/main.js' : 'gatesvr';
  const client = `${program} client --server ${place.quicAddress} --ca ${processes.caFile}`;
  return [
    '',
    `It keeps running; Ctrl-C ends it. In a browser on this machine: ${playground}`,
    'In another terminal:',
    `  ${client} --openid you`,
    `  ${client} --action calculate --param expression='6*7'`,
    `  ${program} upstream --zone 001 --addr 127.0.0.1:0 --gateway ${place.grpcAddress}`,
    `  curl http://${place.httpAddress}/stats`,
    '',
    `The console of the gateway: http://${place.httpAddress}/console`,
    `  its actions take the token ${adminToken}`,
    '',
  ].join('\n');
}
