import type { Command } from 'commander';
import { CodedError } from '../base/errors.js';
import { addPlanOptions, planOf } from './bench/plan-options.js';
import type { BenchOptions } from './bench/plan-options.js';
import type { BenchPlan } from '../bench/client/bench-plan.js';
import { ProgressLine } from './bench/progress-line.js';
import type { ProgressOutput } from './bench/progress-line.js';
import { failureJson, reportJson } from './bench/report-json.js';
import { reportText } from './bench/report-text.js';
import type { Terminal } from './program.js';
import { UntilSignal } from './until-signal.js';
import type { SignalSource } from './until-signal.js';

const HELP = `
Modes:
  echo       requests whose answers must be their own data (action echo of gatesvr upstream)
  push       pushes through --gateway to the sessions in turn
  broadcast  broadcasts through --gateway, each to all sessions of this run
  connect    handshake, START, a heartbeat, STOP, again and again
  idle       sessions that are held, with heartbeats; one that ends is a failure

Without --rate the next piece of work follows when one is done (closed loop). With --rate work
comes by the clock, and latency counts from when it was due, also where it had to wait: that is
what users see (no coordinated omission).

All work is verified before a figure is printed; else the reasons are, with exit code 1.
docs/BENCHMARKING.md explains how to read the figures.`;

/** `gatesvr bench`: a load of many sessions from this process against a running gateway. */
export function registerBenchCommand(
  program: Command,
  terminal: Terminal,
  signals: SignalSource = process,
  progress: ProgressOutput = process.stderr,
): void {
  const command = program
    .command('bench')
    .description('load a running gateway with many sessions and measure it');
  addPlanOptions(command)
    .option('--json', 'print the figures as one JSON object')
    .addHelpText('after', HELP)
    .action((options: BenchOptions) =>
      runBench(planOf(options, command), options.json === true, terminal, signals, progress),
    );
}

/** @throws {CodedError} where the work was not done, or a signal came before the end. */
async function runBench(
  plan: BenchPlan,
  asJson: boolean,
  terminal: Terminal,
  signals: SignalSource,
  progress: ProgressOutput,
): Promise<void> {
  // The load generator's code is loaded only when it is needed: every command starts faster.
  const [{ BenchRun }, { WorkNotDone }] = await Promise.all([
    import('../bench/client/bench-run.js'),
    import('../bench/client/fault-book.js'),
  ]);
  const run = new BenchRun(plan);
  const line = new ProgressLine(progress, () => run.progress());
  const signal = new UntilSignal(signals, true);
  const json = (value: object) => terminal.out(`${JSON.stringify(value)}\n`);
  try {
    line.start();
    const interrupted = signal.told.then(() => null);
    const report = await Promise.race([run.run(), interrupted]);
    line.stop();
    if (report === null) throw new CodedError('INTERRUPTED', 'the bench was interrupted');
    if (asJson) json(reportJson(report));
    else terminal.out(reportText(report));
  } catch (error) {
    line.stop();
    if (asJson && error instanceof WorkNotDone) json(failureJson(plan, error.faults));
    throw error;
  } finally {
    await run.stop();
    signal.end();
  }
}
