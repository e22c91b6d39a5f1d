import { readFileSync } from 'node:fs';

/**
 * Where the CPU time of a profile went, by part: `node dist/bench/load/profile.js FILE.cpuprofile`.
 * The profile is one that `main.js --profile FOLDER` left, or any of `node --cpu-prof`.
 */
interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

const LINES = 15;

/** The part that a frame belongs to: a folder of src/, a package, a module of Node, or V8 itself. */
function partOf({ functionName, url }: CallFrame): string {
  if (functionName.startsWith('(')) return functionName;
  const own = /\/dist\/(\w+)\//.exec(url);
  if (own !== null) return `src/${own[1]}`;
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (dependency !== null) return `${dependency[1]}`;
  return url.startsWith('node:')
    ? url.replace(/^(node:[^/]+(?:\/[^/]+)?).*$/, '$1')
    : 'native code';
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('name a .cpuprofile file');
const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
const shares = new Map<string, number>();
let busy = 0;
profile.samples.forEach((id, index) => {
  const frame = frames.get(id);
  const part = frame === undefined ? 'unknown' : partOf(frame);
  if (part === '(idle)') return;
  const time = profile.timeDeltas[index] ?? 0;
  shares.set(part, (shares.get(part) ?? 0) + time);
  busy += time;
});
const largest = [...shares].sort(([, a], [, b]) => b - a).slice(0, LINES);
for (const [part, time] of largest) {
  process.stdout.write(`${((time / busy) * 100).toFixed(1).padStart(5)} %  ${part}\n`);
}
