import {
  answerBody,
  errorBody,
  errorFrame,
  heartbeatFrame,
  startAcceptedFrame,
  startRefusedFrame,
} from '../../../src/session/responses.js';
import { encodePushContent } from '../../../src/session/push-content.js';
import { encodePushFrame, encodeRequestFrame } from '../../../src/wire/frame-encoder.js';
import {
  BusinessRequest,
  ClientAck,
  ClientRequest,
  HeartbeatRequest,
  RequestType,
  StartRequest,
  StopRequest,
  UnicastPushRequest,
  UpstreamResponse,
  encodeMessage,
} from '../../../src/wire/messages.js';

const openid = 'alice';
const text = (value: string) => Buffer.from(value);

function request(
  type: RequestType,
  payload: Uint8Array,
  { msgId = 0, seqId = 0, headers = {} } = {},
): Uint8Array {
  return encodeRequestFrame(new ClientRequest({ msgId, seqId, type, payload, headers, openid }));
}

const epochProof = new Uint8Array(0);
const greeting = { sessionId: 's-1', epoch: 1, epochProof, heartbeatInterval: 30_000 };

/** What docs/PROTOCOL.md shows, in its order: made by what a client and the gateway really use. */
export const EXAMPLES: readonly {
  readonly title: string;
  readonly message: 'ClientRequest' | 'ServerPush';
  readonly frame: Uint8Array;
}[] = [
  {
    title: 'START',
    message: 'ClientRequest',
    frame: request(
      RequestType.REQUEST_START,
      encodeMessage(StartRequest, { openid, authToken: 'default-token' }),
      { msgId: 1 },
    ),
  },
  {
    title: 'START_RESP, accepted',
    message: 'ServerPush',
    frame: startAcceptedFrame(1, {
      ...greeting,
      resumed: false,
      recovered: true,
      nextClientSeq: 0,
      nextPushSeq: 1,
    }),
  },
  {
    title: 'START that resumes',
    message: 'ClientRequest',
    frame: request(
      RequestType.REQUEST_START,
      encodeMessage(StartRequest, {
        openid,
        authToken: 'default-token',
        lastAckedSeqId: 300,
        resumeSessionId: 's-1',
        seenEpoch: 1,
      }),
      { msgId: 7 },
    ),
  },
  {
    title: 'START_RESP of a resume',
    message: 'ServerPush',
    frame: startAcceptedFrame(7, {
      ...greeting,
      resumed: true,
      recovered: true,
      nextClientSeq: 5,
      nextPushSeq: 301,
    }),
  },
  {
    title: 'START_RESP, refused',
    message: 'ServerPush',
    frame: startRefusedFrame(1, 401, 'the token was not accepted'),
  },
  {
    title: 'BUSINESS',
    message: 'ClientRequest',
    frame: request(
      RequestType.REQUEST_BUSINESS,
      encodeMessage(BusinessRequest, {
        action: 'echo',
        params: { lang: 'en' },
        data: text('hi'),
      }),
      { msgId: 2, seqId: 1, headers: { trace: 'a1' } },
    ),
  },
  {
    title: 'BUSINESS_DATA, an answer',
    message: 'ServerPush',
    frame: encodePushFrame(
      2,
      1,
      answerBody(
        new UpstreamResponse({
          code: 200,
          message: 'ok',
          data: text('hi'),
          headers: { zone: '001' },
        }),
      ),
    ),
  },
  {
    title: 'BUSINESS_DATA, a push',
    message: 'ServerPush',
    frame: encodePushFrame(
      0,
      2,
      encodePushContent(
        new UnicastPushRequest({ msgType: 'news', title: 'hello', content: 'text' }),
      ),
    ),
  },
  {
    title: 'ERROR, an answer',
    message: 'ServerPush',
    frame: encodePushFrame(3, 3, errorBody(504, 'the upstream timed out')),
  },
  {
    title: 'ERROR, a refusal',
    message: 'ServerPush',
    frame: errorFrame(9, 400, 'seq_id 9 leaves a gap, expected 4'),
  },
  {
    title: 'ACK',
    message: 'ClientRequest',
    frame: request(RequestType.REQUEST_ACK, encodeMessage(ClientAck, { ackedSeqId: 300 })),
  },
  {
    title: 'HEARTBEAT',
    message: 'ClientRequest',
    frame: request(
      RequestType.REQUEST_HEARTBEAT,
      encodeMessage(HeartbeatRequest, { clientTimestamp: 1_700_000_000_000 }),
      { msgId: 4 },
    ),
  },
  {
    title: 'HEARTBEAT_RESP',
    message: 'ServerPush',
    frame: heartbeatFrame(4, 1_700_000_000_000, 1_700_000_000_025),
  },
  {
    title: 'STOP',
    message: 'ClientRequest',
    frame: request(
      RequestType.REQUEST_STOP,
      encodeMessage(StopRequest, { reason: StopRequest.Reason.USER_LOGOUT }),
      { msgId: 5 },
    ),
  },
];
