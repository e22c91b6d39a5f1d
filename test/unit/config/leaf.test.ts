import { describe, expect, it } from '@jest/globals';
import {
  choice,
  count,
  dialAddress,
  flag,
  list,
  listenAddress,
  optionalListenAddress,
  publicAddress,
  text,
  threshold,
} from '../../../src/config/leaf.js';
import type { Leaf } from '../../../src/config/leaf.js';

/** What a text means for a key, or why it means nothing. */
function read(leaf: Leaf<unknown>, given: string): unknown {
  const parsed = leaf.schema.safeParse(given);
  return parsed.success ? parsed.data : 'refused';
}

describe('a key', () => {
  it('that is a list splits at commas', () => {
    const networks = list('Networks.', /^[\d./]+$/, 'networks');
    expect(read(networks, '10.0.0.0/8, 127.0.0.1,')).toEqual(['10.0.0.0/8', '127.0.0.1']);
    expect(read(networks, '')).toEqual([]);
    expect(read(networks, '10.0.0.0/8,x')).toBe('refused');
  });

  it('that is an address may lack its host, but not where others are told it', () => {
    expect(read(listenAddress(':1', ''), ':8453')).toEqual({ host: '', port: 8453 });
    expect(read(publicAddress(''), ':8453')).toBe('refused');
    expect(read(publicAddress(''), 'a:0')).toBe('refused');
    expect(read(publicAddress(''), '')).toBeNull();
    expect(read(dialAddress(''), ':8453')).toEqual({ host: '127.0.0.1', port: 8453 });
    expect(read(dialAddress(''), '10.0.0.2:1')).toEqual({ host: '10.0.0.2', port: 1 });
    expect([':0', 'a:0', '8453'].map((text) => read(dialAddress(''), text))).toEqual(
      Array<string>(3).fill('refused'),
    );
    expect(read(dialAddress(''), '')).toBeNull();
    expect(read(optionalListenAddress(':1', ''), 'off')).toBeNull();
    expect(read(optionalListenAddress(':1', ''), '[::1]:2')).toEqual({ host: '::1', port: 2 });
    expect(read(optionalListenAddress(':1', ''), 'Off')).toBeNull();
    expect(read(optionalListenAddress(':1', ''), '')).toBe('refused');
    expect(read(optionalListenAddress(':1', ''), '*:80')).toBe('refused');
  });

  it.each([
    ['true', true],
    ['Yes', true],
    ['1', true],
    ['off', false],
    ['No', false],
    ['', 'refused'],
    ['2', 'refused'],
  ])('that is true or false reads %p as %p', (given, expected) => {
    expect(read(flag('true', ''), given)).toBe(expected);
  });

  it('that is a number keeps to whole ones in its range', () => {
    const days = count('1', '', { min: 1, max: 10 });
    expect(['1', '10', '0', '11', '1.5', '-1', '1e1', '0x1', ''].map((n) => read(days, n))).toEqual(
      [1, 10, ...Array<string>(7).fill('refused')],
    );
    expect(['800', '0.8', '.5', '1.0', '1.5', 'x'].map((n) => read(threshold(''), n))).toEqual([
      800,
      0.8,
      0.5,
      1,
      'refused',
      'refused',
    ]);
  });

  it('that is a choice takes its words, written as YAML writes them or not', () => {
    const each = choice('auto', ['auto', 'true', 'false'], '');
    expect(['true', 'True', 'FALSE', 'auto'].map((word) => read(each, word))).toEqual([
      'true',
      'true',
      'false',
      'auto',
    ]);
    expect(['', 'yes', 'tru'].map((word) => read(each, word))).toEqual(
      Array<string>(3).fill('refused'),
    );
  });

  it('that is a text takes so much of it', () => {
    expect(read(text(''), '')).toBeNull();
    expect(read(text(''), 'x'.repeat(1025))).toBe('refused');
  });
});
