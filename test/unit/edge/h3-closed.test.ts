import { expect, it } from '@jest/globals';
import { linkClosedOfHttp3 } from '../../../src/edge/h3-closed.js';
import { Http3Code } from '../../../src/http3/http3-fault.js';
import type { QuicClosed } from '../../../src/quic/quic-closed.js';

it.each<[string, QuicClosed, object]>([
  [
    'a clean end is no error',
    { application: true, code: Http3Code.NO_ERROR, reason: 'bye', by: 'peer' },
    { code: 0, reason: 'bye', by: 'peer' },
  ],
  [
    'an error of HTTP/3 is none of our codes',
    { application: true, code: Http3Code.MESSAGE_ERROR, reason: 'no', by: 'peer' },
    { code: 0, reason: 'HTTP/3 error 0x10e no', by: 'peer' },
  ],
  [
    'an error of QUIC broke the connection',
    { application: false, code: 0x0a, reason: '', by: 'peer' },
    { code: 0, reason: 'HTTP/3 error 0xa ', by: 'loss' },
  ],
  [
    'a silent path too',
    { application: false, code: 0, reason: 'idle', by: 'loss' },
    { code: 0, reason: 'idle', by: 'loss' },
  ],
])('%s', (_, closed, told) => {
  expect(linkClosedOfHttp3(closed)).toEqual(told);
});
