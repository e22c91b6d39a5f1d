import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '../../../src/journal/crc32c.js';
import { RoleFile } from '../../../src/replication/role-file.js';

const STATE = {
  role: 'primary',
  solo: true,
  boot: 7,
  epoch: 3,
  position: 12,
  seenEpoch: 5,
  peer: 'b',
  failbacks: 2,
} as const;
let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatesvr-role-'));
  path = join(folder, 'role');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the role file', () => {
  it('gives back what was saved, readable by its owner only', () => {
    const file = new RoleFile(path, 'a');
    expect(file.load()).toBeNull();
    file.save(STATE);
    expect(new RoleFile(path, 'a').load()).toEqual(STATE);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('refuses to start from a damaged one, wherever it is damaged', () => {
    new RoleFile(path, 'a').save(STATE);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length - 1; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      expect(() => new RoleFile(path, 'a').load()).toThrow('is damaged');
    }
    writeFileSync(path, '');
    expect(() => new RoleFile(path, 'a').load()).toThrow('is damaged');
  });

  it('refuses to start from that of the other gateway, in whose epochs this one would serve', () => {
    new RoleFile(path, 'a').save(STATE);
    const load = () => new RoleFile(path, 'b').load();
    expect(load).toThrow(expect.objectContaining({ code: 'ROLE_FOREIGN' }));
    expect(load).toThrow('give each its own backup.role_file');
  });

  it('reads one of a version that did not write the highest epoch, nor how often failback asked', () => {
    const { role, solo, boot, epoch, position, peer } = STATE;
    const older = { role, solo, boot, epoch, position, peer };
    const line = JSON.stringify(older);
    const sum = crc32c(Buffer.from(line)).toString(16).padStart(8, '0');
    writeFileSync(path, `${line}\n${sum}\n`);
    expect(new RoleFile(path, 'a').load()).toEqual({ ...older, seenEpoch: 3, failbacks: 0 });
  });

  it('says what it cannot read or write', () => {
    expect(() => new RoleFile(folder, 'a').load()).toThrow(`cannot read ${folder}`);
    const save = () => new RoleFile(join(folder, 'no', 'role'), 'a').save(STATE);
    expect(save).toThrow(expect.objectContaining({ code: 'ROLE_UNWRITABLE' }));
    expect(save).toThrow('cannot store');
  });

  it('tells a failure that left the former role from one that may have changed it', () => {
    const file = new RoleFile(path, 'a');
    file.save(STATE);
    // In the way of the file that would replace it.
    mkdirSync(`${path}.new`);
    const fails = (state: typeof STATE, code: string) =>
      expect(() => file.save(state)).toThrow(expect.objectContaining({ code }));
    fails({ ...STATE, boot: 8 } as never, 'ROLE_UNWRITABLE');
    expect(file.load()).toEqual(STATE);
    fails(STATE, 'ROLE_UNSYNCED');
  });
});
