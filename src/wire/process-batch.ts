import { ProcessBatch, encodeMessage } from './messages.js';
import { CheckedReader } from './uint64.js';
import { varintBytes, writeVarint } from './varint.js';

/** Tags of ProcessBatch.requests and UpstreamRequest.timeout_ms (proto/upstream.proto). */
const REQUESTS_TAG = 0x0a;
const TIMEOUT_TAG = [0x80, 0x01] as const;
/** Tags of ProcessResults.responses and UpstreamResponse.session_id. */
const RESPONSES_TAG = 0x0a;
const SESSION_ID_TAG = [0x82, 0x01] as const;
const RESPONSES_FIELD = 1;
const DRAINING_FIELD = 2;
const CLIENT_SEQ_ID_FIELD = 5;
const SESSION_ID_FIELD = 16;
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const LONGEST_TIMEOUT_MS = 2 ** 32 - 1;
/** Around a request: its tag and length, and its timeout. */
export const REQUEST_OVERHEAD_BYTES = 13;
/** Around a response: its tag and length, and those of its session id. */
const RESPONSE_OVERHEAD_BYTES = 13;

/** Which request: unique among those under way on a ProcessStream. */
export interface RequestKey {
  readonly sessionId: string;
  readonly clientSeqId: number;
}

/**
 * Gathers encoded UpstreamRequests into a ProcessBatch. Protobuf takes the fields of a message in any
 * order, so that the timeout is put behind a request that was encoded without knowing it.
 */
export class ProcessBatchWriter {
  private readonly requests: Uint8Array[] = [];
  private readonly timeouts: number[] = [];
  private cancelled: RequestKey[] = [];
  /** Of the batch so far, at most. */
  bytes = 0;

  get empty(): boolean {
    return this.requests.length === 0 && this.cancelled.length === 0;
  }

  /** @param timeoutMs how long the answer is waited for. */
  add(request: Uint8Array, timeoutMs: number): void {
    this.requests.push(request);
    this.timeouts.push(Math.min(LONGEST_TIMEOUT_MS, Math.max(1, Math.ceil(timeoutMs))));
    this.bytes += request.length + REQUEST_OVERHEAD_BYTES;
  }

  cancel({ sessionId, clientSeqId }: RequestKey): void {
    this.cancelled.push({ sessionId, clientSeqId });
  }

  /** The batch in bytes of its own; afterwards the writer is empty. */
  take(): Uint8Array {
    const tail =
      this.cancelled.length === 0
        ? null
        : encodeMessage(ProcessBatch, { cancelled: this.cancelled });
    const batch = Buffer.allocUnsafe(this.bytes + (tail?.length ?? 0));
    let at = 0;
    for (let index = 0; index < this.requests.length; index++) {
      const request = this.requests[index] as Uint8Array;
      const timeout = this.timeouts[index] as number;
      batch[at++] = REQUESTS_TAG;
      at = writeVarint(batch, at, request.length + TIMEOUT_TAG.length + varintBytes(timeout));
      batch.set(request, at);
      at += request.length;
      batch[at++] = TIMEOUT_TAG[0];
      batch[at++] = TIMEOUT_TAG[1];
      at = writeVarint(batch, at, timeout);
    }
    if (tail !== null) {
      batch.set(tail, at);
      at += tail.length;
    }
    this.requests.length = this.timeouts.length = this.bytes = 0;
    this.cancelled = [];
    return batch.subarray(0, at);
  }
}

/** Hears of the answers in a ProcessResults. */
export interface ResultSink {
  /** @param response the encoded UpstreamResponse; only its key was read. Aliases the batch. */
  onResult(sessionId: string, clientSeqId: number, response: Uint8Array): void;
  /** An answer whose key cannot be read. */
  onUnreadable(): void;
}

/**
 * Reads a ProcessResults.
 * @returns whether the upstream says that it is draining.
 * @throws {Error} where the bytes are no ProcessResults; results before the fault were told.
 */
export function readProcessResults(bytes: Uint8Array, sink: ResultSink): boolean {
  const reader = new CheckedReader(bytes);
  const { buf, len } = reader;
  let draining = false;
  while (reader.pos < len) {
    const tag = reader.uint32();
    if (tag >>> 3 === RESPONSES_FIELD && (tag & 7) === LENGTH_DELIMITED) {
      const length = reader.uint32();
      const end = reader.pos + length;
      if (end > len) throw new RangeError('a response runs past the end of its batch');
      readResult(reader, end, buf as Buffer, sink);
      reader.pos = end;
    } else if (tag >>> 3 === DRAINING_FIELD && (tag & 7) === VARINT) {
      draining = reader.bool();
    } else skip(reader, tag);
  }
  return draining;
}

function readResult(reader: CheckedReader, end: number, bytes: Buffer, sink: ResultSink): void {
  const start = reader.pos;
  let sessionId = '';
  let clientSeqId = 0;
  try {
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag >>> 3 === CLIENT_SEQ_ID_FIELD && (tag & 7) === VARINT) {
        clientSeqId = Number(reader.uint64());
      } else if (tag >>> 3 === SESSION_ID_FIELD && (tag & 7) === LENGTH_DELIMITED) {
        sessionId = reader.string();
      } else skip(reader, tag);
    }
  } catch {
    sink.onUnreadable();
    return;
  }
  if (reader.pos > end) sink.onUnreadable();
  else sink.onResult(sessionId, clientSeqId, bytes.subarray(start, end));
}

/** @throws {Error} for field number 0 and wire types that there are none. */
function skip(reader: CheckedReader, tag: number): void {
  if (tag >>> 3 === 0) throw new RangeError('field number 0');
  reader.skipType(tag & 7);
}

/** Gathers encoded UpstreamResponses into a ProcessResults, each with the session that it is for. */
export class ProcessResultsWriter {
  private readonly responses: Uint8Array[] = [];
  private readonly sessionIds: string[] = [];
  /** Of the message so far, at most. */
  bytes = 0;

  get empty(): boolean {
    return this.responses.length === 0;
  }

  add(response: Uint8Array, sessionId: string): void {
    this.responses.push(response);
    this.sessionIds.push(sessionId);
    this.bytes += response.length + Buffer.byteLength(sessionId) + RESPONSE_OVERHEAD_BYTES;
  }

  /** The message in bytes of its own; afterwards the writer is empty. */
  take(): Uint8Array {
    const message = Buffer.allocUnsafe(this.bytes);
    let at = 0;
    for (let index = 0; index < this.responses.length; index++) {
      const response = this.responses[index] as Uint8Array;
      const sessionId = this.sessionIds[index] as string;
      const idBytes = Buffer.byteLength(sessionId);
      const field = SESSION_ID_TAG.length + varintBytes(idBytes) + idBytes;
      message[at++] = RESPONSES_TAG;
      at = writeVarint(message, at, response.length + field);
      message.set(response, at);
      at += response.length;
      message[at++] = SESSION_ID_TAG[0];
      message[at++] = SESSION_ID_TAG[1];
      at = writeVarint(message, at, idBytes);
      at += message.write(sessionId, at);
    }
    this.responses.length = this.sessionIds.length = this.bytes = 0;
    return message.subarray(0, at);
  }
}
