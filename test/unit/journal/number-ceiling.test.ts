import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '../../../src/base/errors.js';
import {
  CEILING_RETRY_MS,
  CEILING_STEP,
  NumberCeilingFile,
  unlimitedCeiling,
} from '../../../src/journal/number-ceiling.js';
import { createLogger, silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-ceiling-'));
  path = join(folder, 'ceiling');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (): NumberCeilingFile => new NumberCeilingFile(path, silentLogger(), new FakeClock());

describe('NumberCeilingFile', () => {
  it('is 0 on a new gateway, and writes nothing before a number needs it', () => {
    expect(open().value).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is a step above the number it was raised for, and on disk at once', () => {
    const ceiling = open();
    ceiling.raise(1);
    expect(ceiling.value).toBe(1 + CEILING_STEP);
    expect(open().value).toBe(1 + CEILING_STEP);
    expect(readdirSync(folder)).toEqual(['ceiling']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('counts on from what a former process left', () => {
    open().raise(5_000_000_000);
    const later = open();
    later.raise(later.value + 1);
    expect(open().value).toBe(5_000_000_001 + 2 * CEILING_STEP);
  });

  it('never comes down', () => {
    const ceiling = open();
    ceiling.raise(9_000_000);
    ceiling.raise(1);
    expect(ceiling.value).toBe(9_000_000 + CEILING_STEP);
    expect(open().value).toBe(9_000_000 + CEILING_STEP);
  });

  it.each(['', '{}', '{"ceiling":}', '{"ceiling":-1}', '{"ceiling":1.5}', '{"ceiling":1', 'NaN'])(
    'refuses the damaged file %j instead of guessing',
    (text) => {
      writeFileSync(path, text);
      expect(open).toThrow(StartupError);
      expect(open).toThrow(path);
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );

  it('refuses a number of which a digit was changed, and a checksum that was', () => {
    open().raise(5_000_000_000);
    const text = readFileSync(path, 'utf8');
    const wrong = [text.replace('5', '1'), text.replace('5', '55'), text.replace('\t', ' ')];
    for (const damaged of wrong) {
      writeFileSync(path, damaged);
      expect(open).toThrow('damaged');
    }
    writeFileSync(path, text);
    expect(open().value).toBe(5_000_000_000 + CEILING_STEP);
  });

  it('reads what versions without a checksum wrote, and they read what it writes', () => {
    writeFileSync(path, '{"ceiling":5000000000}\n');
    const ceiling = open();
    expect(ceiling.value).toBe(5_000_000_000);
    ceiling.raise(5_000_000_001);
    // As they read it.
    const found = /^\{"ceiling":(\d{1,16})\}\s*$/.exec(readFileSync(path, 'utf8'));
    expect(Number(found?.[1])).toBe(5_000_000_001 + CEILING_STEP);
  });

  it('refuses a number that cannot be counted exactly', () => {
    writeFileSync(path, '{"ceiling":9999999999999999}');
    expect(open).toThrow('damaged');
  });

  it('refuses a file that cannot be read', () => {
    path = folder;
    expect(open).toThrow(StartupError);
    expect(open).toThrow('cannot read');
  });

  it('goes on and tells the operator when the disk does not take it', () => {
    const lines: string[] = [];
    const log = createLogger(
      { level: 'error', format: 'json' },
      { write: (line) => void lines.push(line) },
    );
    path = join(folder, 'missing', 'ceiling');
    const ceiling = new NumberCeilingFile(path, log, new FakeClock());
    ceiling.raise(3);
    expect(ceiling.value).toBe(3 + CEILING_STEP);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(path);
  });
});

describe('a ceiling that the disk did not take', () => {
  it('is told of once and written as soon as it can be, whether numbers go on or not', () => {
    const lines: string[] = [];
    const log = createLogger(
      { level: 'info', format: 'json' },
      { write: (line) => void lines.push(line) },
    );
    const clock = new FakeClock();
    path = join(folder, 'missing', 'ceiling');
    const ceiling = new NumberCeilingFile(path, log, clock);
    ceiling.raise(3);
    clock.advance(10 * CEILING_RETRY_MS);
    expect([ceiling.behind, lines.length]).toEqual([true, 1]);
    mkdirSync(join(folder, 'missing'));
    clock.advance(CEILING_RETRY_MS);
    expect([ceiling.behind, open().value]).toEqual([false, 3 + CEILING_STEP]);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('stored again');
    clock.advance(10 * CEILING_RETRY_MS);
    expect(lines).toHaveLength(2);
  });

  it('is not written any more once it is stopped', () => {
    const clock = new FakeClock();
    path = join(folder, 'missing', 'ceiling');
    const ceiling = new NumberCeilingFile(path, silentLogger(), clock);
    ceiling.raise(3);
    ceiling.stop();
    mkdirSync(join(folder, 'missing'));
    clock.advance(10 * CEILING_RETRY_MS);
    expect(readdirSync(join(folder, 'missing'))).toEqual([]);
  });
});

describe('unlimitedCeiling', () => {
  it('is never passed', () => {
    unlimitedCeiling.raise(Number.MAX_SAFE_INTEGER);
    expect(Number.MAX_SAFE_INTEGER > unlimitedCeiling.value).toBe(false);
  });
});
