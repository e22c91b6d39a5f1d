import { errorName } from '../../wire/error-catalogue.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ErrorMessage,
  PushType,
  RequestType,
  StartRequest,
  StartResponse,
  StopRequest,
  decodeFromClient,
  decodeMessage,
} from '../../wire/messages.js';
import type { ClientRequest, ServerPush } from '../../wire/messages.js';
import type { TraceContent, TraceFields } from './trace-event.js';

/** What a frame is called, and what of it is shown. */
export interface FrameDescription {
  readonly type: string;
  readonly fields: TraceFields;
  readonly content: TraceContent | null;
}

/** What a client sent. A token is in neither fields nor content. */
export function describeRequest(frame: ClientRequest): FrameDescription {
  const { payload } = frame;
  switch (frame.type) {
    case RequestType.REQUEST_START: {
      const { lastAckedSeqId, resumeSessionId } = decodeMessage(StartRequest, payload);
      const resumes = resumeSessionId === '' ? {} : { resume_session: resumeSessionId };
      return plain('START', { last_acked: lastAckedSeqId, ...resumes });
    }
    case RequestType.REQUEST_STOP: {
      const { reason } = decodeMessage(StopRequest, payload);
      return plain('STOP', { reason: StopRequest.Reason[reason] ?? String(reason) });
    }
    case RequestType.REQUEST_HEARTBEAT:
      return plain('HEARTBEAT');
    case RequestType.REQUEST_ACK:
      return plain('ACK', { acked: decodeMessage(ClientAck, payload).ackedSeqId });
    case RequestType.REQUEST_BUSINESS: {
      const { action, data, params } = decodeFromClient(BusinessRequest, payload);
      const content = { data, params, headers: frame.headers };
      return { type: 'BUSINESS', fields: { action }, content };
    }
    default:
      return plain('UNKNOWN');
  }
}

/** What the gateway sends. */
export function describePush(push: ServerPush): FrameDescription {
  const { payload } = push;
  switch (push.type) {
    case PushType.PUSH_START_RESP:
      return plain('START_RESP', startFields(decodeMessage(StartResponse, payload)));
    case PushType.PUSH_HEARTBEAT_RESP:
      return plain('HEARTBEAT_RESP');
    case PushType.PUSH_BUSINESS_DATA: {
      const { code, message, data } = decodeMessage(BusinessResponse, payload);
      const fields = { code, push: push.msgId === 0 };
      return { type: 'BUSINESS_DATA', fields, content: { data, message, headers: push.headers } };
    }
    case PushType.PUSH_ERROR:
      return plain('ERROR', { error: errorFields(decodeMessage(ErrorMessage, payload)) });
    default:
      return plain('UNKNOWN');
  }
}

function startFields(response: StartResponse): TraceFields {
  const { success, error, resumed, recovered } = response;
  if (!success) return { success, error: errorFields(new ErrorMessage(error ?? {})) };
  return {
    success,
    new_session: response.connectionId,
    resumed,
    recovered,
    next_client_seq: response.nextClientSeq,
    next_push_seq: response.nextPushSeq,
  };
}

function errorFields({ errorCode, detail }: ErrorMessage): TraceFields {
  return { code: errorCode, name: errorName(errorCode), detail };
}

function plain(type: string, fields: TraceFields = {}): FrameDescription {
  return { type, fields, content: null };
}
