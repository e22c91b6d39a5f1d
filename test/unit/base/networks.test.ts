import { describe, expect, test } from '@jest/globals';
import { Networks } from '../../../src/base/networks.js';

describe('networks', () => {
  test.each([
    ['10.1.2.3', true],
    ['11.1.2.3', false],
    ['192.168.7.9', true],
    ['192.168.7.10', false],
    ['fd00::5', true],
    ['fe80::5', false],
    ['::ffff:10.1.2.3', true],
    ['upstream.example', false],
    ['', false],
  ])('%s: %s', (host, included) => {
    const networks = new Networks('k', ['10.0.0.0/8', '192.168.7.9', 'fd00::/8']);
    expect(networks.includes(host)).toBe(included);
  });

  test.each(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/-1', 'x', ''])(
    '"%s" is no network',
    (text) => {
      expect(() => new Networks('grpc.register_allow', [text])).toThrow(/grpc\.register_allow/);
    },
  );
});
