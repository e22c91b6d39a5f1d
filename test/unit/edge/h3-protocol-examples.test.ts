import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { closeTrailers } from '../../../src/edge/h3-close-trailers.js';
import { FrameType, encodeFrame } from '../../../src/http3/frames.js';
import { encodeRequestFrame } from '../../../src/wire/frame-encoder.js';
import { RequestType, StartRequest, encodeMessage } from '../../../src/wire/messages.js';
import { POST_STREAM, altered, headers } from '../../support/http3-client.js';

/** The bytes of every ```http3 block of docs/PROTOCOL.md; what is explained stands behind them. */
function examples(): string[] {
  const markdown = readFileSync('docs/PROTOCOL.md', 'utf8');
  return [...markdown.matchAll(/```http3\n([^`]*)```/g)].map(([, block = '']) =>
    block
      .split('\n')
      .map((line) => /^(?:[0-9a-f]{2} ?)*/.exec(line)?.[0] ?? '')
      .join('')
      .replaceAll(' ', ''),
  );
}

test('the examples of docs/PROTOCOL.md are what client and gateway write', () => {
  const payload = encodeMessage(StartRequest, { openid: 'alice', authToken: 'default-token' });
  const start = encodeRequestFrame({
    msgId: 1,
    type: RequestType.REQUEST_START,
    payload,
    openid: 'alice',
  });
  // The order of the page: the authority before the path.
  const head = altered(POST_STREAM, { ':authority': 'gw.example' });
  const path = head.findIndex(([name]) => name === ':path');
  head.splice(path + 1, 0, ...head.splice(path, 1));
  const client = [headers(head), encodeFrame(FrameType.DATA, start)];
  const gateway = [
    headers([
      [':status', '200'],
      ['content-type', 'application/x-gatesvr'],
      ['cache-control', 'no-store'],
    ]),
    headers(closeTrailers(409, 'replaced')),
  ];
  expect(examples()).toEqual(
    [client, gateway].map((frames) => Buffer.concat(frames).toString('hex')),
  );
});
