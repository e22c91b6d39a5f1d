import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../../base/clock.js';
import { UNAUTHENTICATED_DETAILS } from '../call-guard.js';
import type { CallGuard } from '../call-guard.js';
import { DeadlineQueue } from '../deadline-queue.js';
import { CONNECTION_WINDOW, STREAM_WINDOW } from '../flow-windows.js';
import { MAX_CONCURRENT_STREAMS } from '../grpc-server.js';
import { decompressorOf } from '../message-encoding.js';
import type { StreamMethod, UnaryMethod } from '../server-method.js';
import { Http2Code, isGrpcContent, statusLine } from '../status-mapping.js';
import { GrpcStatus } from '../unary-caller.js';
import { ConnectionError } from './connection-error.js';
import { MAX_BACKLOG } from './control-frames.js';
import { FramedEndpoint } from './framed-endpoint.js';
import { FramedStream, inOrder } from './framed-stream.js';
import { MAX_REQUEST_HEADERS, PREFACE } from './frames.js';
import { RequestFields } from './request-fields.js';
import { ResponseHeaders } from './response-headers.js';
import type { CallCarrier, ServedCall } from './served-call.js';
import { ServedStream } from './served-stream.js';
import { ServedUnary } from './served-unary.js';

/** A client that does not begin to speak HTTP/2 within it is none, ms. */
const PREFACE_TIMEOUT_MS = 20_000;
/** A caller that vanished during a long call is found within it and the time that an answer gets, ms. */
const KEEPALIVE_MS = 60_000;

/**
 * A chunk that takes longer, ms, ends the turn of its connection: the system hands over 2 MiB of one connection in a
 * turn, and compressed messages may cost a millisecond in 2 KiB.
 */
const LONG_CHUNK_MS = 10;

/**
 * Per connection, calls that a method works on, whether anybody waits for their answers or not: who calls and resets at
 * once must not have more. Far above what may wait, for a method that sometimes never answers must not bar the others.
 */
export const MAX_CALLS_AT_WORK = 10_000;

/** What the connections of a server share. */
export interface ServerTerms {
  readonly unary: ReadonlyMap<string, UnaryMethod>;
  readonly streaming: ReadonlyMap<string, StreamMethod>;
  readonly guard: CallGuard | null;
  readonly maxReceived: number;
  readonly maxSent: number;
  readonly clock: Clock;
}

/** One connection of a gRPC server that frames HTTP/2 itself (RFC 9113, grpc/grpc doc/PROTOCOL-HTTP2.md). */
export class ServerConnection extends FramedEndpoint<ServedCall> implements CallCarrier {
  readonly peerName: string;
  readonly maxSent: number;
  protected lastTaken = 0;
  private readonly headers = new ResponseHeaders(this.writer);
  private readonly fields = new RequestFields();
  /** Its own: a call finds its place behind all that end later, and anyone may hold a thousand for ever. */
  private readonly deadlines: DeadlineQueue;
  private prefaceSeen = 0;
  /** The last stream that the client began, whether it was taken or not. */
  private lastSeen = 0;
  /** Calls with a stream, and those without one that their method still works on. */
  private underWay = 0;
  private leaving = false;
  private readonly cancelPatience: Cancel;

  constructor(
    socket: Socket,
    private readonly terms: ServerTerms,
  ) {
    const { clock, maxSent } = terms;
    super(socket, {
      clock,
      keepaliveMs: KEEPALIVE_MS,
      maxHeaders: MAX_REQUEST_HEADERS,
    });
    this.deadlines = new DeadlineQueue(clock);
    this.maxSent = maxSent;
    this.peerName = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    this.cancelPatience = clock.after(PREFACE_TIMEOUT_MS, () => socket.destroy());
    this.control.openingOfServer(MAX_CONCURRENT_STREAMS, STREAM_WINDOW, CONNECTION_WINDOW);
  }

  /** Says GOAWAY: takes no new call, and ends when those under way have finished. Idempotent. */
  drain(): void {
    if (this.gone || this.leaving) return;
    this.leaving = true;
    if (this.busy) this.control.goaway(this.lastTaken, Http2Code.NO_ERROR);
    this.closeWhenIdle();
  }

  /** Ends it now, with what is under way. */
  terminate(): void {
    this.destroy('the server stops');
    this.socket.destroySoon();
  }

  sendHeaders(stream: FramedStream<ServedCall>): void {
    stream.call.headersSent = true;
    this.headers.headers(stream.id);
  }

  release(): void {
    this.underWay--;
  }

  onHeaders(streamId: number, block: Buffer, end: boolean): void {
    const { fields } = this;
    this.keepalive.answered();
    fields.clear();
    // Decoded even where nobody wants it, for it changes the table of all that follow.
    this.decoder.decode(block, fields.add);
    if (streamId % 2 === 0) {
      throw new ConnectionError(Http2Code.PROTOCOL_ERROR, `a request on stream ${streamId}`);
    }
    if (streamId <= this.lastSeen) return this.onTrailers(streamId, end);
    this.lastSeen = streamId;
    if (this.leaving || this.isFull) {
      this.control.reset(streamId, Http2Code.REFUSED_STREAM);
      return;
    }
    this.lastTaken = streamId;
    this.onRequest(streamId, end);
  }

  onReset(streamId: number): void {
    const stream = this.streamOf(streamId);
    if (stream !== undefined) this.forget(stream);
  }

  onGoaway(): void {
    this.leaving = true;
    this.closeWhenIdle();
  }

  override resetStream(stream: FramedStream<ServedCall>, code: number): void {
    if (!this.streams.has(stream.id)) return;
    super.resetStream(stream, code);
    this.over(stream);
    this.closeWhenIdle();
  }

  private get isFull(): boolean {
    return this.streams.size >= MAX_CONCURRENT_STREAMS || this.underWay >= MAX_CALLS_AT_WORK;
  }

  protected hasBegun(streamId: number): boolean {
    return streamId <= this.lastSeen && streamId % 2 === 1;
  }

  protected onStreamEnd({ call }: FramedStream<ServedCall>): void {
    call.receiveEnd();
  }

  protected onPeerSettings(): void {
    this.cancelPatience();
  }

  protected limitTable(bytes: number): void {
    this.headers.limitTable(bytes);
  }

  protected onChunk(chunk: Buffer): void {
    const begun = this.clock.now();
    let rest = chunk;
    if (this.prefaceSeen < PREFACE.length) {
      const part = chunk.subarray(0, PREFACE.length - this.prefaceSeen);
      if (
        PREFACE.compare(part, 0, part.length, this.prefaceSeen, this.prefaceSeen + part.length) !==
        0
      ) {
        this.socket.destroy();
        return;
      }
      this.prefaceSeen += part.length;
      rest = chunk.subarray(part.length);
    }
    if (rest.length > 0) this.reader.read(rest);
    // A client that does not read its answers is not read either.
    if (this.writer.backlog > MAX_BACKLOG) this.socket.pause();
    else if (this.clock.now() - begun > LONG_CHUNK_MS) this.giveWay();
  }

  /** Reads no further before everyone else had a turn. */
  private giveWay(): void {
    this.socket.pause();
    setImmediate(() => {
      if (this.writer.backlog <= MAX_BACKLOG) this.socket.resume();
    });
  }

  /** The client reads to the end: to a socket that is closed while bytes come the kernel answers with a reset. */
  protected override closeSocket(): void {
    this.socket.resume();
    this.socket.end();
  }

  protected onFlush(): void {
    // Nobody waits for what was written.
  }

  protected onDrain(): void {
    this.socket.resume();
  }

  protected onGone(): void {
    this.leaving = true;
    this.cancelPatience();
    for (const stream of inOrder(this.streams)) {
      this.streams.delete(stream.id);
      this.over(stream);
    }
    this.deadlines.close();
  }

  private onTrailers(streamId: number, end: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    if (end) this.onStreamEnd(stream);
    else this.resetStream(stream, Http2Code.PROTOCOL_ERROR);
  }

  private onRequest(streamId: number, end: boolean): void {
    const { fields, terms } = this;
    if (fields.method !== 'POST') return this.refuseHttp(streamId, 405, end);
    if (!isGrpcContent(fields.contentType)) return this.refuseHttp(streamId, 415, end);
    const unary = terms.unary.get(fields.path);
    const method = unary ?? terms.streaming.get(fields.path);
    const decompressor = decompressorOf(fields.encoding);
    const timeoutMs = fields.timeoutMs;
    if (method === undefined) {
      const details = `the server has no method ${fields.path}`;
      return this.refuse(streamId, GrpcStatus.UNIMPLEMENTED, details, end);
    }
    if (decompressor === undefined) {
      const details = `grpc-encoding ${fields.encoding ?? ''} is not taken`;
      return this.refuse(streamId, GrpcStatus.UNIMPLEMENTED, details, end);
    }
    if (Number.isNaN(timeoutMs)) {
      return this.refuse(streamId, GrpcStatus.INTERNAL, 'grpc-timeout is no time', end);
    }
    if (method.guarded === true && terms.guard?.admits(fields.authorization) === false) {
      return this.refuse(streamId, GrpcStatus.UNAUTHENTICATED, UNAUTHENTICATED_DETAILS, end);
    }
    const most = Math.min(terms.maxReceived, method.maxRequestBytes ?? Infinity);
    const deadline = timeoutMs === Infinity ? Infinity : this.clock.now() + timeoutMs;
    this.begin(
      streamId,
      unary === undefined
        ? new ServedStream(this, method as StreamMethod, deadline, decompressor, most)
        : new ServedUnary(this, unary, deadline, decompressor, most),
      end,
    );
  }

  private begin(streamId: number, call: ServedCall, end: boolean): void {
    const stream = new FramedStream(this, streamId, call, this.peer.initialWindow, false);
    this.streams.set(streamId, stream);
    this.underWay++;
    if (call.deadline !== Infinity) this.deadlines.add(call);
    this.keepalive.sent();
    call.begin(stream);
    if (end && this.streams.has(streamId)) this.onStreamEnd(stream);
  }

  private refuse(streamId: number, status: number, details: string, ended: boolean): void {
    // The details may quote the caller, whose headers can name a long text by one byte again and again.
    this.headers.trailersOnly(streamId, status, statusLine(details));
    if (!ended) this.control.reset(streamId, Http2Code.NO_ERROR);
  }

  private refuseHttp(streamId: number, status: number, ended: boolean): void {
    this.headers.httpStatus(streamId, status);
    if (!ended) this.control.reset(streamId, Http2Code.NO_ERROR);
  }

  /** Says how the call ended. */
  protected override endAnswer(stream: FramedStream<ServedCall>): void {
    const { call, id } = stream;
    if (call.headersSent) this.headers.trailers(id, call.status, call.details);
    else this.headers.trailersOnly(id, call.status, call.details);
    // The caller need not send the rest of its request (RFC 9113 section 8.1).
    if (!call.requestEnded) this.control.reset(id, Http2Code.NO_ERROR);
    this.forget(stream);
  }

  private forget(stream: FramedStream<ServedCall>): void {
    this.remove(stream);
    this.over(stream);
    this.closeWhenIdle();
  }

  private over({ call }: FramedStream<ServedCall>): void {
    this.deadlines.remove(call);
    call.onOver();
  }

  private closeWhenIdle(): void {
    if (this.leaving && this.streams.size === 0) this.end(Http2Code.NO_ERROR, 'it was drained');
  }
}
