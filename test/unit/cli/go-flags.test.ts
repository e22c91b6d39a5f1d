import { describe, expect, it } from '@jest/globals';
import { fromGoFlags } from '../../../src/cli/go-flags.js';

describe('fromGoFlags', () => {
  it.each([
    ['-config=a.yaml', 'serve --config=a.yaml'],
    ['-config a.yaml', 'serve --config a.yaml'],
    ['--config a.yaml', 'serve --config a.yaml'],
    ['-c a.yaml', 'serve -c a.yaml'],
    ['serve -config=a.yaml -quic-addr=:1', 'serve --config=a.yaml --quic-addr=:1'],
    ['upstream -zone 001 -addr :9001', 'upstream --zone 001 --addr :9001'],
    ['--help', '--help'],
    ['-h', '-h'],
    ['--version', '--version'],
    ['client -- -data', 'client -- -data'],
    ['', ''],
  ])('reads %p as %p', (given, expected) => {
    const words = (text: string) => text.split(' ').filter((word) => word !== '');
    expect(fromGoFlags(words(given))).toEqual(words(expected));
  });

  it('leaves values with a leading dash alone that are no flags', () => {
    expect(fromGoFlags(['client', '--data', '-5', '-'])).toEqual(['client', '--data', '-5', '-']);
  });
});
