import { describe, expect, it } from '@jest/globals';
import { renderCursor, sessionQuery } from '../../../src/ops/session-query.js';

describe('the query of /stats', () => {
  it('is the first 100 sessions unless it says otherwise', () => {
    expect(sessionQuery({})).toEqual({
      offset: 0,
      limit: 100,
      after: 0,
      openidPrefix: '',
      zone: '',
    });
    expect(sessionQuery({ offset: '7', limit: '1000', openid: 'ü/', zone: '003' })).toEqual({
      offset: 7,
      limit: 1000,
      after: 0,
      openidPrefix: 'ü/',
      zone: '003',
    });
  });

  it.each([1, 2 ** 49])('goes on where the cursor after %d says', (ordinal) => {
    expect(sessionQuery({ cursor: renderCursor({ ordinal }) }).after).toBe(ordinal);
  });

  it.each([
    { cursor: '' },
    { cursor: '!' },
    { cursor: 'AAAA' },
    { cursor: ['a', 'b'] },
    { cursor: Buffer.from('after 1e9').toString('base64url') },
    { cursor: Buffer.from('after 12 ').toString('base64url') },
    { cursor: Buffer.from(`after ${'1'.repeat(16)}`).toString('base64url') },
    { cursor: renderCursor({ ordinal: 1 }), offset: '0' },
    { openid: ['a', 'b'] },
    { openid: 'x'.repeat(257) },
    { zone: 'x'.repeat(33) },
    { zone: ['001'] },
  ])('refuses %j', (query) => {
    expect(() => sessionQuery(query)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
