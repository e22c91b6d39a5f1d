import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { CodedError, messageOf } from '../base/errors.js';
import { OpsClient } from './ops-client.js';
import { Screen } from './monitor/screen.js';
import type { KeyInput, ScreenOutput } from './monitor/screen.js';
import { readSnapshot } from './monitor/snapshot.js';
import type { Snapshot } from './monitor/snapshot.js';
import { COLOURS, PLAIN, monitorLines } from './monitor/view.js';
import { addOpsAccessOptions, opsTarget, tokenVariable } from './ops-access.js';
import type { OpsAccessOptions } from './ops-access.js';
import { duration, httpUrl } from './option-values.js';
import type { Terminal } from './program.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';

interface MonitorOptions extends OpsAccessOptions {
  readonly interval: number;
  readonly once?: boolean;
  readonly color: boolean;
}

/** The terminal's two sides, or a test's. */
export interface MonitorTerminal {
  readonly output: ScreenOutput;
  readonly input: KeyInput;
}

/** The variables of a gateway's own tokens; either may read. */
const TOKEN_VARIABLES = [tokenVariable('ops.read_token'), tokenVariable('ops.admin_token')];
/** Faster than this a gateway would be busy with its monitor, ms. */
const MIN_INTERVAL_MS = 100;

const HELP = `
Keys: q quits, p pauses. Without a terminal it prints lines, one picture after the other.
A token is read from --token-file, or from ${TOKEN_VARIABLES.join(' or ')}.`;

/** `gatesvr monitor`: a running gateway at a glance, in a terminal. */
export function registerMonitorCommand(
  program: Command,
  terminal: Terminal,
  signals: SignalSource = process,
  screen: MonitorTerminal = { output: process.stdout, input: process.stdin },
): void {
  const command = program
    .command('monitor')
    .description('watch a running gateway: sessions, rates, latencies, upstreams, warnings')
    .option('--url <url>', 'its HTTP address', httpUrl, new URL('http://127.0.0.1:8080'))
    .option('--interval <time>', 'how often to look, seconds or 500ms', interval, 1_000)
    .option('--once', 'print one picture and exit; 1 where there is no answer')
    .option('--no-color', 'no colours on a terminal, either')
    .addHelpText('after', HELP);
  addOpsAccessOptions(command, 'ops.read_token or ops.admin_token').action(
    (options: MonitorOptions) => runMonitor(options, terminal, signals, screen),
  );
}

async function runMonitor(
  options: MonitorOptions,
  terminal: Terminal,
  signals: SignalSource,
  screen: MonitorTerminal,
): Promise<void> {
  const client = new OpsClient(opsTarget(options, TOKEN_VARIABLES));
  try {
    if (options.once === true) await once(client, terminal);
    else await new Watch(client, options, terminal, screen).run(signals);
  } finally {
    client.close();
  }
}

async function once(client: OpsClient, terminal: Terminal): Promise<void> {
  try {
    terminal.out(`${monitorLines(await look(client), null).join('\n')}\n`);
  } catch (error) {
    throw new CodedError('UNREACHABLE', messageOf(error), { cause: error });
  }
}

async function look(client: OpsClient): Promise<Snapshot> {
  const paths = ['/health', '/stats?limit=1', '/performance'];
  const [health, stats, performanceBody] = await Promise.all(paths.map((path) => client.get(path)));
  return readSnapshot(health, stats, performanceBody, performance.now());
}

/** Looks again and again until told to end; a gateway that is away is waited for. */
class Watch {
  private paused = false;
  private before: Snapshot | null = null;
  private shown: readonly string[] = [];
  private fault = '';
  private quit: () => void = () => undefined;
  private readonly left = new Promise<void>((resolve) => (this.quit = resolve));
  private readonly screen: Screen | null;
  private readonly colours: boolean;

  constructor(
    private readonly client: OpsClient,
    private readonly options: MonitorOptions,
    private readonly terminal: Terminal,
    { output, input }: MonitorTerminal,
  ) {
    const actions = { quit: () => this.quit(), togglePause: () => this.togglePause() };
    this.screen = output.isTTY === true ? new Screen(output, input, actions) : null;
    this.colours = output.isTTY === true && options.color && !process.env['NO_COLOR'];
  }

  async run(signals: SignalSource): Promise<void> {
    const signal = new UntilSignal(signals);
    const over = Promise.race([this.left, signal.told]).then(() => true);
    this.screen?.open();
    try {
      let ended = false;
      while (!ended) {
        if (!this.paused) await Promise.race([this.update(), over]);
        ended = await Promise.race([over, pause(this.options.interval)]);
      }
    } finally {
      this.screen?.close();
      signal.end();
    }
  }

  /** Never rejects. */
  private async update(): Promise<void> {
    try {
      const now = await look(this.client);
      this.shown = monitorLines(now, this.before, this.colours ? COLOURS : PLAIN);
      this.before = now;
      this.fault = '';
      this.print();
    } catch (error) {
      const again = messageOf(error) === this.fault;
      this.fault = messageOf(error);
      this.before = null;
      if (this.screen !== null) this.print();
      else if (!again) this.terminal.out(`no answer: ${this.fault}; trying again\n`);
    }
  }

  private print(): void {
    if (this.screen === null) {
      this.terminal.out(`${this.shown.join('\n')}\n\n`);
      return;
    }
    const away = this.fault === '' ? [] : [`no answer: ${this.fault}; trying again`, ''];
    const hint = this.paused ? 'paused; p goes on, q quits' : 'p pauses, q quits';
    this.screen.show([`${this.options.url.host}  ${hint}`, ...away, ...this.shown]);
  }

  private togglePause(): void {
    this.paused = !this.paused;
    this.print();
  }
}

function pause(ms: number): Promise<boolean> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}

function interval(text: string): number {
  const ms = duration(text);
  if (ms >= MIN_INTERVAL_MS) return ms;
  throw new InvalidArgumentError(`give at least ${MIN_INTERVAL_MS}ms.`);
}
