import { expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { Screen } from '../../../src/cli/monitor/screen.js';
import { readSnapshot } from '../../../src/cli/monitor/snapshot.js';
import { monitorLines } from '../../../src/cli/monitor/view.js';

/** The lines that a terminal of 80 columns shows of these. */
function shown(lines: readonly string[], rows: number): string[] {
  let text = '';
  const output = Object.assign(new EventEmitter(), {
    columns: 80,
    rows,
    write: (drawn: string) => void (text = drawn),
  });
  const input = Object.assign(new EventEmitter(), {
    resume: () => undefined,
    pause: () => undefined,
  });
  const actions = { quit: () => undefined, togglePause: () => undefined };
  new Screen(output, input, actions).show(lines);
  return text.replace(/\p{Cc}\[\w/gu, '').split('\r\n');
}

test('a small screen shows warnings, and says how many lines it does not', () => {
  const warnings = ['the certificate expires soon', 'tokens go over plain HTTP'];
  const lines = monitorLines(readSnapshot({ warnings }, {}, {}, 0), null);
  const page = ['host  p pauses', ...lines, ...Array.from({ length: 20 }, (_, i) => `zone ${i}`)];
  const small = shown(page, 24);
  expect(small).toHaveLength(23);
  expect(small).toContain('! the certificate expires soon');
  expect(small).toContain('! tokens go over plain HTTP');
  expect(small.at(-1)).toBe(`... ${page.length - 22} more lines`);
  expect(shown(page, page.length + 1)).toEqual(page);
});
