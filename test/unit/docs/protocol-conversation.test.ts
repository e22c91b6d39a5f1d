import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { UpstreamOutcome } from '../../../src/routing/router.js';
import type { Authenticator } from '../../../src/session/authenticator.js';
import { encodeRequestFrame } from '../../../src/wire/frame-encoder.js';
import {
  ClientRequest,
  ServerPush,
  StartRequest,
  StartResponse,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../../src/wire/messages.js';
import { SessionHarness } from '../../support/session-harness.js';
import type { BareClient } from '../../support/session-harness.js';
import { bytesOfAnnotated } from './annotated-frame.js';

const page = readFileSync('docs/PROTOCOL.md', 'utf8');

/** The frame that docs/PROTOCOL.md shows under a heading. */
function shown(title: string): Buffer {
  const [, part = ''] = page.split(`\n#### ${title}\n`);
  const [, text = ''] = /```frame \w+\n([^`]*)\n```/.exec(part) ?? [];
  return bytesOfAnnotated(text);
}

const pushOf = (frame: Uint8Array): ServerPush => decodeMessage(ServerPush, frame.subarray(4));

/** Expects that the last frame received is the one shown. */
function expectShown(client: BareClient, title: string): void {
  expect(client.last.push).toEqual(pushOf(shown(title)));
}

/** As expectShown for START_RESP, whose session id is chosen at random. */
function expectStartShown(client: BareClient, title: string): void {
  const expected = decodeMessage(StartResponse, pushOf(shown(title)).payload);
  const { connectionId } = client.started;
  expect(client.started).toEqual(new StartResponse({ ...expected, connectionId }));
  expect(client.last.push.msgId).toBe(pushOf(shown(title)).msgId);
}

/** The START shown, for a session whose id is another one than in the page. */
function resuming(sessionId: string): Uint8Array {
  const request = decodeMessage(ClientRequest, shown('START that resumes').subarray(4));
  const start = decodeMessage(StartRequest, request.payload);
  const payload = encodeMessage(StartRequest, { ...start, resumeSessionId: sessionId });
  return encodeRequestFrame(new ClientRequest({ ...request, payload }));
}

test('a gateway answers the frames of docs/PROTOCOL.md with the frames of docs/PROTOCOL.md', () => {
  const harness = new SessionHarness({ outboxMaxFrames: 400 });
  const decide = (index: number, outcome: UpstreamOutcome): void => {
    harness.router.seen[index]?.request.onOutcome(outcome);
    harness.settle();
  };
  const client = harness.client().raw(shown('START'));
  expectStartShown(client, 'START_RESP, accepted');

  client.raw(shown('BUSINESS'));
  expect(harness.router.seen[0]).toMatchObject({ action: 'echo', data: 'hi', clientSeq: 1 });
  const answer = { code: 200, message: 'ok', data: Buffer.from('hi'), headers: { zone: '001' } };
  decide(0, { kind: 'answered', response: new UpstreamResponse(answer) });
  expectShown(client, 'BUSINESS_DATA, an answer');

  harness.push('alice', { msgType: 'news', title: 'hello', content: 'text' });
  expectShown(client, 'BUSINESS_DATA, a push');

  client.business(2, '', 'echo', 3);
  decide(1, { kind: 'failed', code: 504, reason: 'the upstream timed out' });
  expectShown(client, 'ERROR, an answer');

  client.business(3).business(9, '', 'echo', 9);
  expectShown(client, 'ERROR, a refusal');

  client.raw(shown('HEARTBEAT'));
  const { msgId, type, seqId } = pushOf(shown('HEARTBEAT_RESP'));
  expect(client.last.push).toMatchObject({ msgId, type, seqId });
  expect(client.last.text).toBe('1700000000000');

  client.business(4);
  harness.answer(2);
  harness.answer(3);
  while (client.seqs.at(-1) !== 300) harness.push('alice', { content: 'more' });
  client.raw(shown('ACK'));
  expect(client.errors).toHaveLength(1);
  const sessionId = client.started.connectionId;
  expect(harness.service.registry.find(sessionId)?.acknowledged).toBe(300);

  const again = harness.client().raw(resuming(sessionId));
  expectStartShown(again, 'START_RESP of a resume');
  expect(again.started.connectionId).toBe(sessionId);

  again.raw(shown('STOP'));
  expect(harness.service.registry.find(sessionId)).toBeUndefined();
});

test('a gateway refuses a token as docs/PROTOCOL.md shows', () => {
  const reason = 'the token was not accepted';
  const refusing: Authenticator = { verify: (_, done) => done({ ok: false, reason }) };
  const client = new SessionHarness({}, refusing).client().raw(shown('START'));
  expectShown(client, 'START_RESP, refused');
});
