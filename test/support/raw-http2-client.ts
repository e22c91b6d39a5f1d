import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FrameReader } from '../../src/grpc/h2/frame-reader.js';
import { HpackDecoder } from '../../src/grpc/h2/hpack-decoder.js';
import { PREFACE } from '../../src/grpc/h2/frames.js';
import { frame } from './http2-peer.js';
import { literal, message } from './raw-http2-peer.js';
import { until } from './until.js';

const SETTINGS = 4;

/** What came on one stream. */
export interface RawAnswer {
  readonly fields: Record<string, string>;
  body: Buffer;
  ended: boolean;
  reset: number | null;
}

/** A client of HTTP/2 frames that does only what a test says. */
export class RawHttp2Client {
  readonly answers = new Map<number, RawAnswer>();
  readonly goaways: [lastStreamId: number, code: number][] = [];
  readonly pongs: Buffer[] = [];
  readonly credits: [streamId: number, bytes: number][] = [];
  settingsAcks = 0;
  closed = false;
  readonly socket: Socket;
  private readonly decoder = new HpackDecoder();

  /** @param acknowledges whether it answers SETTINGS by itself, in between what a test sends. */
  constructor(port: number, acknowledges = true) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
    const reader = new FrameReader({
      onData: (id, payload, _, end) => {
        const answer = this.on(id);
        answer.body = Buffer.concat([answer.body, payload]);
        answer.ended ||= end;
      },
      onHeaders: (id, block, end) => {
        const answer = this.on(id);
        this.decoder.decode(block, (name, value) => (answer.fields[name] = value));
        answer.ended ||= end;
      },
      onReset: (id, code) => (this.on(id).reset = code),
      onSettings: (_, ack) => {
        if (ack) this.settingsAcks++;
        else if (acknowledges) this.send(SETTINGS, 1, 0);
      },
      onPing: (payload, ack) => {
        if (ack) this.pongs.push(payload);
      },
      onGoaway: (last, code) => this.goaways.push([last, code]),
      onWindowUpdate: (id, bytes) => this.credits.push([id, bytes]),
    });
    this.socket.on('data', (chunk) => reader.read(chunk));
  }

  /** Preface and SETTINGS. */
  hello(settings: Buffer = Buffer.alloc(0)): this {
    this.raw(PREFACE);
    this.send(SETTINGS, 0, 0, settings);
    return this;
  }

  raw(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): void {
    this.raw(frame(type, flags, streamId, payload));
  }

  /** HEADERS of a call. */
  headers(
    streamId: number,
    path: string,
    { end = false, ...more }: { end?: boolean } & Record<string, string | boolean> = {},
  ): void {
    const fields = {
      ':method': 'POST',
      ':scheme': 'http',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...more,
    };
    this.send(1, 0x4 | (end ? 1 : 0), streamId, headerBlock(fields as Record<string, string>));
  }

  /** A whole unary call. */
  call(streamId: number, path: string, body: Buffer | string, more?: Record<string, string>): void {
    this.headers(streamId, path, more);
    this.send(0, 1, streamId, message(body));
  }

  /** What came on a stream so far. */
  on(streamId: number): RawAnswer {
    let answer = this.answers.get(streamId);
    if (answer === undefined) {
      answer = { fields: {}, body: Buffer.alloc(0), ended: false, reset: null };
      this.answers.set(streamId, answer);
    }
    return answer;
  }

  async ended(streamId: number): Promise<RawAnswer> {
    await until(() => this.on(streamId).ended || this.on(streamId).reset !== null);
    return this.on(streamId);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Fields as literals that need no table. */
export function headerBlock(fields: Record<string, string>): Buffer {
  return Buffer.concat(Object.entries(fields).map(([name, value]) => literal(name, value)));
}
