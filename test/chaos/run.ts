import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createQuicClient } from '../../src/sdk/client/quic-client.js';
import { judge } from './checker.js';
import type { Cluster } from './cluster.js';
import { History } from './history.js';
import type { Recorded } from './history.js';
import { Load } from './load.js';
import { pause } from './players.js';
import { describe, meantBy, scheduleOf } from './schedule.js';
import type { Menu, Step } from './schedule.js';
import { checkPushDelivery } from './push-delivery.js';

/** How long what must come true in the end may take, ms: the machine may be slow and busy. */
const PATIENCE_MS = 60_000;
const POLL_MS = 200;

export interface Trial {
  /** For people. */
  readonly name: string;
  /** The test file, for the command that replays. */
  readonly file: 'lone' | 'pair' | 'sessions';
  readonly seed: number;
  readonly menu: Menu;
  /** Faults at least, and for how long at least, ms. */
  readonly faults: number;
  readonly durationMs: number;
  readonly clients: { readonly sdk: number; readonly deployed: number };
  prepare(folder: string, history: History): Promise<Cluster>;
}

/**
 * One seed: gateways under load and faults, then the verdict. Prints one line.
 * @throws {Error} with the schedule, the violations and the command that replays, where an invariant broke.
 */
export async function play(trial: Trial): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gatesvr-chaos-'));
  const history = new History();
  const steps: Step[] = [];
  const cluster = await trial.prepare(folder, history);
  const shared = createQuicClient({ ca: readFileSync(join(folder, 'ca.crt')) });
  const load = new Load(cluster, history, shared, trial.clients);
  try {
    await cluster.start();
    await load.start();
    await disturb(trial, cluster, load, steps, history);
    await cluster.heal();
    await load.calm();
    await load.everybodyIsServed(PATIENCE_MS);
    await load.lateComerArrives();
    await everythingArrived(history);
    const { violations, summary } = judge(history.facts);
    process.stdout.write(
      `chaos ${trial.name}, seed ${trial.seed}: ${steps.length} faults, ${summary}\n`,
    );
    if (violations.length > 0) {
      const lines = violations
        .slice(0, 20)
        .map(({ kind, at, text }) => `${at} ms: ${kind}: ${text}`);
      throw new Error(`${violations.length} violations:\n${lines.join('\n')}`);
    }
  } catch (error) {
    throw new Error(await report(trial, cluster, steps, history.facts, error), { cause: error });
  } finally {
    await load.stop();
    await shared.stop();
    await cluster.stop();
    history.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function disturb(
  trial: Trial,
  cluster: Cluster,
  load: Load,
  steps: Step[],
  history: History,
): Promise<void> {
  const end = performance.now() + trial.durationMs;
  for (const step of scheduleOf(trial.seed, trial.menu)) {
    if (steps.length >= trial.faults && performance.now() >= end) break;
    steps.push(step);
    await pause(step.calmMs);
    const { fault } = step;
    history.add({ kind: 'fault', node: '', what: describe(step) });
    if (fault.kind === 'storm') for (const player of load.players) player.cut();
    if (fault.kind === 'restart apps') {
      load.players.forEach((player, index) => index % 2 === 0 && player.restart());
    }
    if (fault.kind === 'absence') {
      for (const player of meantBy(fault, load.players)) player.goAway(fault.forMs);
    }
    if (fault.kind === 'kick') {
      const meant = meantBy(fault, load.players);
      await Promise.all(meant.map(({ openid }) => cluster.kick(openid)));
    }
    await cluster.apply(fault);
  }
}

/** Waits for what the clients still get; what never comes is the verdict's business. */
async function everythingArrived(history: History): Promise<void> {
  const missing = (): boolean =>
    checkPushDelivery(history.facts).violations.some(({ kind }) => kind === 'loss');
  for (const end = performance.now() + PATIENCE_MS; missing() && performance.now() < end;) {
    await pause(POLL_MS);
  }
}

async function report(
  { name, file, seed, durationMs }: Trial,
  cluster: Cluster,
  steps: readonly Step[],
  facts: readonly Recorded[],
  error: unknown,
): Promise<string> {
  const seen = join(tmpdir(), `gatesvr-chaos-${name.replaceAll(' ', '-')}-${seed}.jsonl`);
  writeFileSync(seen, facts.map((fact) => `${JSON.stringify(fact)}\n`).join(''));
  return [
    `chaos ${name}, seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    'the schedule:',
    ...steps.map((step, index) => `  ${index + 1}. ${describe(step)}`),
    'the last lines of each gateway:',
    await cluster.lastWords().catch(String),
    `every fact in order: ${seen}`,
    `replay: make chaos SEED=${seed} MINUTES=${durationMs / 60_000} ONLY=${file}`,
  ].join('\n');
}
