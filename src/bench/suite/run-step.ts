import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Step } from './steps.js';

/**
 * Runs one program of the set in a process of its own; what it complains about goes to stderr.
 * @param out file for its JSON. @param peer folder of the peer, or null.
 * @returns whether it did all its work.
 */
export function runStep(step: Step, out: string, peer: string | null): Promise<boolean> {
  const script = fileURLToPath(new URL(`../${step.script}`, import.meta.url));
  const against = step.peer && peer !== null ? ['--peer', peer] : [];
  const child = spawn(process.execPath, [script, ...step.args, ...against, '--out', out], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}
