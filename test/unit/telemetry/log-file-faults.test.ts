import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = fs.mkdtempSync(join(tmpdir(), 'gatesvr-log-faults-'));
const path = join(folder, 'gatesvr.log');
/** How many bytes the disk still takes. */
let room = Infinity;
let refused: ReadonlySet<'open' | 'rename'> = new Set();

function failing(call: 'open' | 'rename', code: string): void {
  if (refused.has(call)) throw Object.assign(new Error(`${code}: ${call}`), { code });
}

jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  openSync: (...given: Parameters<typeof fs.openSync>) => {
    failing('open', 'EMFILE');
    return fs.openSync(...given);
  },
  renameSync: (...given: Parameters<typeof fs.renameSync>) => {
    failing('rename', 'EACCES');
    fs.renameSync(...given);
  },
  writeSync: (fd: number, bytes: Buffer, offset: number) => {
    const length = Math.min(room, bytes.length - offset);
    if (length === 0) throw new Error('ENOSPC: no space left on device');
    room -= length;
    return fs.writeSync(fd, bytes, offset, length);
  },
}));

const { LogFile } = await import('../../../src/telemetry/log-file.js');

const line = (number: number) => `line ${String(number).padStart(4, '0')}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(from + index)).join('');
const text = (name: string) => fs.readFileSync(name, 'utf8');

beforeEach(() => {
  room = Infinity;
  refused = new Set();
  for (const name of fs.readdirSync(folder)) fs.rmSync(join(folder, name));
});

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/** A log of files of five lines, of which three are kept, after 14 lines. */
function filled() {
  const complaints: string[] = [];
  const log = new LogFile({ path, maxSize: 50, maxFiles: 3 }, (told) => complaints.push(told));
  for (let number = 0; number < 14; number++) log.write(line(number));
  return { log, complaints };
}

describe('a log file that cannot be put aside', () => {
  test.each(['open', 'rename'] as const)(
    'because of %s: grows, keeps what is there, and is put aside later',
    (call) => {
      const { log, complaints } = filled();
      refused = new Set([call]);
      for (let number = 14; number < 40; number++) log.write(line(number));
      expect(complaints).toEqual([expect.stringContaining('cannot be put aside: E')]);
      expect(text(path)).toBe(lines(10, 40));
      refused = new Set();
      log.write(line(40));
      expect(text(path)).toBe(line(40));
      expect(text(`${path}.1`)).toBe(lines(10, 40));
      expect(text(`${path}.2`)).toBe(lines(5, 10));
      log.close();
    },
  );
});

test('a line of which the disk took a part only is ended before the next one', () => {
  const complaints: string[] = [];
  const log = new LogFile({ path, maxSize: 1_000, maxFiles: 3 }, (told) => complaints.push(told));
  log.write(line(0));
  room = 4;
  log.write(line(1));
  log.write(line(2));
  room = Infinity;
  log.write(line(3));
  log.write(line(4));
  log.close();
  expect(complaints).toEqual([expect.stringContaining('lines are lost: ENOSPC')]);
  expect(text(path)).toBe(`${line(0)}line\n${lines(3, 5)}`);
});
