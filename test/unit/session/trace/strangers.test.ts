import { describe, expect, it } from '@jest/globals';
import { Tracing } from '../../../../src/session/trace/tracing.js';
import { MAX_CLIENT_FIELDS } from '../../../../src/wire/limits.js';
import {
  ClientRequest,
  RequestType,
  StartRequest,
  encodeMessage,
} from '../../../../src/wire/messages.js';
import { FakeClock } from '../../../support/fake-clock.js';

/** A field of a number that StartRequest does not have: 2,000, a varint. */
const UNKNOWN_FIELD = Buffer.from([0x80, 0x7d, 0x01]);

/** The first frame of a connection, its START after so many other fields. */
function startAfter(fields: number): ClientRequest {
  const start = encodeMessage(StartRequest, { openid: 'alice' });
  const payload = Buffer.concat([...Array<Buffer>(fields).fill(UNKNOWN_FIELD), start]);
  return new ClientRequest({ type: RequestType.REQUEST_START, payload });
}

describe('the openid of a client without a session', () => {
  const tracing = new Tracing(new FakeClock(), (run) => run());
  const watch = tracing.add('alice', { onEvent: () => undefined });

  it('is that of its START', () => {
    expect(tracing.ofStranger(startAfter(10))).toBe(watch);
  });

  it('is not looked for beyond what may be read of a client', () => {
    expect(tracing.ofStranger(startAfter(MAX_CLIENT_FIELDS))).toBeNull();
  });
});
