import { describe, expect, it } from '@jest/globals';
import { SessionPages } from '../../../src/console/session-pages.js';

describe('the pages of the session table', () => {
  it('go on by the cursor of each answer, and back by those before', () => {
    const pages = new SessionPages();
    expect([pages.path, pages.page, pages.hasNext, pages.hasPrevious]).toEqual([
      'stats?limit=50',
      1,
      false,
      false,
    ]);
    pages.answered('second');
    pages.next();
    expect([pages.path, pages.page]).toEqual(['stats?limit=50&cursor=second', 2]);
    expect(pages.hasNext).toBe(false);
    pages.answered('third');
    pages.next();
    pages.answered(null);
    pages.next();
    expect([pages.path, pages.page]).toEqual(['stats?limit=50&cursor=third', 3]);
    pages.previous();
    expect(pages.path).toBe('stats?limit=50&cursor=second');
    pages.previous();
    pages.previous();
    expect([pages.page, pages.hasPrevious]).toEqual([1, false]);
  });

  it('begin anew with another filter, and only then', () => {
    const pages = new SessionPages();
    pages.answered('second');
    pages.next();
    expect(pages.filter('', '')).toBe(false);
    expect(pages.page).toBe(2);
    expect(pages.filter('a&b=<c>', '001')).toBe(true);
    expect(pages.path).toBe('stats?limit=50&openid=a%26b%3D%3Cc%3E&zone=001');
    expect([pages.page, pages.filtered, pages.hasNext]).toEqual([1, true, false]);
  });
});
