import { createServer } from 'node:http2';
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream, Settings } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

/** What arrived on one stream. */
export interface PeerCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** The message without its prefix. */
  readonly text: string;
  /** Counts connections from 0. */
  readonly connection: number;
}

/** A server of bare HTTP/2, for answers that no gRPC library would give. */
export class Http2Peer {
  readonly calls: PeerCall[] = [];
  readonly sessions: ServerHttp2Session[] = [];
  readonly sockets: Socket[] = [];
  /** Most streams that were open at once. */
  mostOpen = 0;
  private open = 0;
  private readonly server: Http2Server;

  constructor(
    private readonly answer: (call: PeerCall, peer: Http2Peer) => void,
    settings: Settings = {},
  ) {
    // Its own limit of memory would reset streams that no protocol rule forbids.
    this.server = createServer({ settings, maxSessionMemory: 1_000 });
    this.server.on('connection', (socket: Socket) => this.sockets.push(socket));
    this.server.on('session', (session) => {
      this.sessions.push(session);
      session.on('error', () => undefined);
    });
    this.server.on('stream', (stream, headers) => this.onStream(stream, headers));
  }

  async listen(host = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, host, resolve);
    });
    const { port } = this.server.address() as AddressInfo;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = this.sessions.indexOf(stream.session as ServerHttp2Session);
    const chunks: Buffer[] = [];
    this.mostOpen = Math.max(this.mostOpen, ++this.open);
    stream.on('close', () => this.open--);
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const text = Buffer.concat(chunks).subarray(5).toString();
      const call = { stream, headers, text, connection };
      this.calls.push(call);
      this.answer(call, this);
    });
  }
}

export function message(text: string): Buffer {
  const framed = Buffer.alloc(5 + Buffer.byteLength(text));
  framed.writeUInt32BE(framed.length - 5, 1);
  framed.write(text, 5);
  return framed;
}

/** A response with these body chunks and trailers. */
export function respond(
  stream: ServerHttp2Stream,
  chunks: readonly Buffer[],
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
}

/** A frame of HTTP/2 (RFC 9113 section 4.1), for peers that no library would be. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}
