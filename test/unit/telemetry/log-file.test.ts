import { afterEach, describe, expect, test } from '@jest/globals';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../../src/telemetry/log.js';
import { LogFile } from '../../../src/telemetry/log-file.js';

const folder = mkdtempSync(join(tmpdir(), 'gatesvr-log-'));
const path = join(folder, 'deep', 'gatesvr.log');
const complaints: string[] = [];
let file: LogFile | null = null;

function open(maxSize: number, maxFiles: number): LogFile {
  file = new LogFile({ path, maxSize, maxFiles }, (line) => complaints.push(line));
  return file;
}

afterEach(() => {
  file?.close();
  complaints.length = 0;
  rmSync(join(folder, 'deep'), { recursive: true, force: true });
});

const line = (number: number) => `line ${String(number).padStart(4, '0')}\n`;

describe('a log file', () => {
  test('is put aside when it is full; the oldest goes, no line is split', () => {
    const log = open(50, 3);
    for (let number = 0; number < 20; number++) log.write(line(number));
    const names = ['gatesvr.log.2', 'gatesvr.log.1', 'gatesvr.log'];
    expect(readdirSync(join(folder, 'deep')).sort()).toEqual([...names].sort());
    const texts = names.map((name) => readFileSync(join(folder, 'deep', name), 'utf8'));
    expect(texts.join('')).toBe(Array.from({ length: 15 }, (_, index) => line(index + 5)).join(''));
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(50);
    expect(complaints).toEqual([]);
  });

  test('goes on where the last process ended, and keeps one line that is larger than it may be', () => {
    open(50, 2).write(line(1));
    file?.close();
    const log = open(50, 2);
    log.write(line(2));
    log.write(`${'x'.repeat(100)}\n`);
    expect(readFileSync(`${path}.1`, 'utf8')).toBe(line(1) + line(2));
    expect(statSync(path).size).toBe(101);
    expect(statSync(path).mode & 0o007).toBe(0);
  });

  test('of which only one is kept begins anew', () => {
    const log = open(50, 1);
    for (let number = 0; number < 7; number++) log.write(line(number));
    expect(readFileSync(path, 'utf8')).toBe(line(5) + line(6));
    expect(existsSync(`${path}.1`)).toBe(false);
  });

  test('is opened again after someone moved it away', () => {
    const log = open(1_000, 5);
    log.write(line(1));
    renameSync(path, `${path}.moved`);
    log.write(line(2));
    log.reopen();
    log.write(line(3));
    expect(readFileSync(`${path}.moved`, 'utf8')).toBe(line(1) + line(2));
    expect(readFileSync(path, 'utf8')).toBe(line(3));
  });

  test('that cannot be written loses lines, says so once, and throws nothing', () => {
    const log = open(50, 2);
    log.write(line(1));
    log.close();
    log.write(line(2));
    log.write(line(3));
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(/lines are lost/);
    file = null;
    // A file where a folder is due. (Below /proc, mkdirSync of Node 20 never returns.)
    const below = join(path, 'x.log');
    expect(() => new LogFile({ path: below, maxSize: 9, maxFiles: 1 }, () => undefined)).toThrow(
      /cannot write log\.file/,
    );
  });

  test('takes the lines of a logger', () => {
    createLogger({ level: 'info', format: 'json' }, open(4096, 2)).info({ n: 1 }, 'hello');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ n: 1, msg: 'hello' });
  });
});
