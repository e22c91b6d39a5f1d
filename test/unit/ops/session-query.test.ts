import { describe, expect, it } from '@jest/globals';
import { renderCursor, sessionQuery } from '../../../src/ops/session-query.js';

describe('the query of /stats', () => {
  it('is the first 100 sessions unless it says otherwise', () => {
    expect(sessionQuery({})).toEqual({
      offset: 0,
      limit: 100,
      after: null,
      openidPrefix: '',
      zone: '',
    });
    expect(sessionQuery({ offset: '7', limit: '1000', openid: 'ü/', zone: '003' })).toEqual({
      offset: 7,
      limit: 1000,
      after: null,
      openidPrefix: 'ü/',
      zone: '003',
    });
  });

  it.each([
    { createdAt: 1_700_000_000_999, sessionId: 'a'.repeat(32) },
    { createdAt: 1_700_000_000_999.25, sessionId: 'restored-1' },
  ])('goes on where a cursor %j says', (position) => {
    const { after } = sessionQuery({ cursor: renderCursor(position) });
    expect(after).toEqual(position);
  });

  it.each([
    { cursor: '' },
    { cursor: '!' },
    { cursor: 'AAAA' },
    { cursor: ['a', 'b'] },
    { cursor: Buffer.from('1e999 x').toString('base64url') },
    { cursor: Buffer.from('12 ').toString('base64url') },
    { cursor: Buffer.from(`12 ${'x'.repeat(65)}`).toString('base64url') },
    { cursor: renderCursor({ createdAt: 1, sessionId: 'x' }), offset: '0' },
    { openid: ['a', 'b'] },
    { openid: 'x'.repeat(257) },
    { zone: 'x'.repeat(33) },
    { zone: ['001'] },
  ])('refuses %j', (query) => {
    expect(() => sessionQuery(query)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
