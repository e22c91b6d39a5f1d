import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { FrameReader } from '../../src/grpc/h2/frame-reader.js';
import { frame } from './http2-peer.js';

const PREFACE_BYTES = 24;
/** The largest frame that anybody has to take. */
const FRAME_PAYLOAD = 16_384;

/** One connection of a peer that frames by hand. */
export class RawSession {
  /** DATA bytes by stream, prefix included. */
  readonly bodies = new Map<number, Buffer>();
  readonly ended: number[] = [];
  readonly resets: [streamId: number, code: number][] = [];
  readonly goaways: number[] = [];
  readonly credits: [streamId: number, bytes: number][] = [];
  private skip = PREFACE_BYTES;

  constructor(
    readonly socket: Socket,
    readonly index: number,
    onRequest: (session: RawSession, streamId: number) => void,
    onHeaders: (session: RawSession, streamId: number) => void,
    acknowledges: boolean,
  ) {
    socket.on('error', () => undefined);
    const reader = new FrameReader({
      onData: (id, payload, _, end) => {
        this.bodies.set(id, Buffer.concat([this.bodies.get(id) ?? Buffer.alloc(0), payload]));
        if (!end) return;
        this.ended.push(id);
        onRequest(this, id);
      },
      onHeaders: (id) => onHeaders(this, id),
      onReset: (id, code) => this.resets.push([id, code]),
      onSettings: (_, ack) => {
        if (!ack && acknowledges) this.send(4, 1, 0);
      },
      onPing: () => undefined,
      onGoaway: (_, code) => this.goaways.push(code),
      onWindowUpdate: (id, bytes) => this.credits.push([id, bytes]),
    });
    socket.on('data', (chunk) => {
      const skipped = Math.min(this.skip, chunk.length);
      this.skip -= skipped;
      if (chunk.length > skipped) reader.read(chunk.subarray(skipped));
    });
  }

  send(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): void {
    this.socket.write(frame(type, flags, streamId, payload));
  }

  /** A whole answer: headers, the body with its prefix, trailers with status 0. */
  answer(streamId: number, body: Buffer): void {
    for (const [type, flags, payload] of answerFrames(body))
      this.send(type, flags, streamId, payload);
  }

  /** A status instead of an answer, in as many frames as its text needs. */
  refuse(streamId: number, status: number, text: string): void {
    const block = Buffer.concat([
      Buffer.of(0x88),
      literal('content-type', 'application/grpc'),
      literal('grpc-status', String(status)),
      literal('grpc-message', text),
    ]);
    for (let at = 0; at < block.length; at += FRAME_PAYLOAD) {
      const type = at === 0 ? 1 : 9;
      const endsStream = at === 0 ? 0x1 : 0;
      const endsHeaders = at + FRAME_PAYLOAD >= block.length ? 0x4 : 0;
      this.send(type, endsStream | endsHeaders, streamId, block.subarray(at, at + FRAME_PAYLOAD));
    }
  }
}

/** Headers, body and trailers of an answer, by literals that need no table. */
export function answerFrames(body: Buffer): [type: number, flags: number, payload: Buffer][] {
  const type = literal('content-type', 'application/grpc');
  return [
    [1, 0x4, Buffer.concat([Buffer.of(0x88), type])],
    [0, 0, message(body)],
    [1, 0x5, literal('grpc-status', '0')],
  ];
}

/** A gRPC message with its prefix. */
export function message(body: Buffer | string, compressed = 0): Buffer {
  const bytes = Buffer.from(body);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(compressed);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** A field that needs no table (RFC 7541 section 6.2.2). */
export function literal(name: string, value: string): Buffer {
  const text = (part: string) => Buffer.concat([length(part.length), Buffer.from(part)]);
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

/** The length of a string (RFC 7541 section 5.1). */
function length(bytes: number): Buffer {
  if (bytes < 127) return Buffer.of(bytes);
  const coded = [127];
  let left = bytes - 127;
  for (; left >= 128; left >>>= 7) coded.push((left & 127) | 128);
  return Buffer.from([...coded, left]);
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
  return bytes;
}

/** One setting of SETTINGS. */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** A server of HTTP/2 frames that does only what a test says. */
export class RawHttp2Peer {
  readonly sessions: RawSession[] = [];
  private readonly server: Server;

  /** @param settings the payload of its SETTINGS; null sends none. */
  constructor(
    onRequest: (session: RawSession, streamId: number) => void = () => undefined,
    settings: Buffer | null = Buffer.alloc(0),
    onHeaders: (session: RawSession, streamId: number) => void = () => undefined,
  ) {
    this.server = createServer((socket) => {
      const polite = settings !== null;
      const session = new RawSession(socket, this.sessions.length, onRequest, onHeaders, polite);
      this.sessions.push(session);
      if (settings !== null) session.send(4, 0, 0, settings);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const { socket } of this.sessions) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
