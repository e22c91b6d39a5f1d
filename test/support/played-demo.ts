import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The program, as `make build` leaves it. */
export const GATESVR = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A demo that has ended, and what it printed. */
export interface Played {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * Plays the demo; `onOutput` sees everything printed so far and may send a signal.
 * @param folder its temporary folder is made in here, so that a test sees whether it goes away.
 */
export async function playDemo(
  folder: string,
  argv: string[],
  onOutput: (out: string, signal: (name: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Played> {
  const env = { ...process.env, TMPDIR: folder, GATESVR_DEBUG: '' };
  const demo = spawn(process.execPath, [GATESVR, 'demo', ...argv], { env });
  let [out, err] = ['', ''];
  demo.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    onOutput(out, (name) => demo.kill(name));
  });
  demo.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(demo, 'close')) as [number | null];
  return { code, out, err };
}

/** The processes that a transcript names: none of them may outlive it. */
export function survivors({ out }: Played): number[] {
  const named = [...out.matchAll(/process(?:es)? ([\d, ]+)/g)].flatMap((match) =>
    (match[1] ?? '').split(', ').map(Number),
  );
  return [...new Set(named)].filter((pid) => {
    try {
      return pid > 0 && process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}
