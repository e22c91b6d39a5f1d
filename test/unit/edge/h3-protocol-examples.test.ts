import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { closeTrailers } from '../../../src/edge/h3-close-trailers.js';
import { FrameType, encodeFrame } from '../../../src/http3/frames.js';
import { encodeRequestFrame } from '../../../src/wire/frame-encoder.js';
import { RequestType, StartRequest, encodeMessage } from '../../../src/wire/messages.js';
import { bidiHeader } from '../../../src/http3/webtransport.js';
import { encodeSessionClose } from '../../../src/http3/webtransport-close.js';
import { POST_STREAM } from '../../../src/bench/client/streaming-end.js';
import { altered, headers } from '../../support/http3-client.js';

/** The bytes of every block of docs/PROTOCOL.md of this kind; what is explained stands behind them. */
function examples(kind: string): string[] {
  const markdown = readFileSync('docs/PROTOCOL.md', 'utf8');
  return [...markdown.matchAll(new RegExp('```' + kind + '\n([^`]*)```', 'g'))].map(
    ([, block = '']) =>
      block
        .split('\n')
        .map((line) => /^(?:[0-9a-f]{2} ?)*/.exec(line)?.[0] ?? '')
        .join('')
        .replaceAll(' ', ''),
  );
}

const start = encodeRequestFrame({
  msgId: 1,
  type: RequestType.REQUEST_START,
  payload: encodeMessage(StartRequest, { openid: 'alice', authToken: 'default-token' }),
  openid: 'alice',
});

test('the examples of HTTP/3 in docs/PROTOCOL.md are what client and gateway write', () => {
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
  expect(examples('http3')).toEqual(
    [client, gateway].map((frames) => Buffer.concat(frames).toString('hex')),
  );
});

test('the examples of WebTransport too', () => {
  const connect = headers([
    [':method', 'CONNECT'],
    [':protocol', 'webtransport'],
    [':scheme', 'https'],
    [':authority', 'gw.example'],
    [':path', '/gatesvr'],
    ['origin', 'https://app.example'],
  ]);
  const gateway = [
    headers([
      [':status', '200'],
      ['sec-webtransport-http3-draft', 'draft02'],
    ]),
    encodeFrame(FrameType.DATA, encodeSessionClose(409, 'replaced')),
  ];
  expect(examples('webtransport')).toEqual(
    [[connect], [bidiHeader(0), start], gateway].map((parts) =>
      Buffer.concat(parts).toString('hex'),
    ),
  );
});
