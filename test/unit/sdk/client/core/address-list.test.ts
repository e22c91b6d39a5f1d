import { describe, expect, test } from '@jest/globals';
import { AddressList } from '../../../../../src/sdk/client/core/address-list.js';

describe('AddressList', () => {
  test('stays with what works and moves round what fails', () => {
    const list = new AddressList(['a:1', 'b:1']);
    expect(list.current).toBe('a:1');
    list.failed();
    expect(list.current).toBe('b:1');
    list.succeeded();
    expect(list.current).toBe('b:1');
    list.failed();
    expect(list.current).toBe('a:1');
  });

  test('follows a redirect, drops it when it fails, and slows down when redirects go round', () => {
    const list = new AddressList(['a:1']);
    expect([1, 2, 3, 4].map((n) => list.redirected(`r:${n}`))).toEqual([true, true, true, false]);
    expect(list.current).toBe('r:4');
    list.failed();
    expect(list.current).toBe('a:1');
    list.succeeded();
    expect(list.redirected('r:5')).toBe(true);
  });

  test('after a redirect that leads nowhere, the one that redirected is not asked again at once', () => {
    const list = new AddressList(['backup:1', 'primary:1']);
    list.redirected('unreachable:1');
    list.failed();
    expect(list.current).toBe('primary:1');
  });

  test('one attempt begins with the current address and goes round', () => {
    const list = new AddressList(['a:1', 'b:1', 'a:1', 'c:1']);
    expect(list.inTurn).toEqual(['a:1', 'b:1', 'c:1']);
    list.reached('b:1');
    expect([list.current, ...list.inTurn]).toEqual(['b:1', 'b:1', 'a:1', 'c:1']);
    expect(list.expects('b:1')).toBe(false);
    list.succeeded();
    list.failed();
    expect([list.expects('b:1'), list.expects('a:1')]).toEqual([true, false]);
  });

  test('a redirect goes first, the one that redirected last; named twice it stands alone', () => {
    const list = new AddressList(['a:1', 'b:1']);
    list.redirected('r:1');
    expect(list.inTurn).toEqual(['r:1', 'b:1', 'a:1']);
    expect(list.expects('r:1')).toBe(true);
    list.reached('r:1');
    expect(list.current).toBe('r:1');
    list.redirected('b:1');
    expect(list.inTurn).toEqual(['b:1']);
    list.succeeded();
    expect(list.inTurn).toEqual(['b:1', 'a:1']);
    list.reached('a:1');
    expect(list.current).toBe('a:1');
  });

  test('refuses to be empty', () => {
    expect(() => new AddressList([])).toThrow(RangeError);
  });
});
