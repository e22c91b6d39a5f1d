import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.js';
import { memoised } from '../../base/lifecycle.js';
import { CallGuard } from '../call-guard.js';
import { secureOptions, speaksHttp2, tuneSocket } from '../caller-tls.js';
import type { CertificateSource, TlsListener } from '../certificate-source.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from '../channel-options.js';
import { DEFAULT_GRACE_MS, bindAddress } from '../grpc-server.js';
import type { GrpcServer, GrpcServerOptions } from '../grpc-server.js';
import { handshakeFault, remoteOf } from '../handshake-log.js';
import { reflectionMethods } from '../reflection.js';
import type { StreamMethod, UnaryMethod } from '../server-method.js';
import { ServerConnection } from './server-connection.js';
import type { ServerTerms } from './server-connection.js';

/** A peer gets so long for its side of TLS, ms. */
const TLS_TIMEOUT_MS = 20_000;

/** A GrpcServer that frames HTTP/2 itself: a call costs a tenth of what it costs with grpc-js. */
export class FramedServer implements GrpcServer {
  readonly start = memoised(() => this.listen());
  readonly drain = memoised(() => this.finishCalls());
  private readonly terms: ServerTerms;
  private readonly streaming: Map<string, StreamMethod>;
  private readonly connections = new Set<ServerConnection>();
  /** Of all connections, also those that are still at their TLS handshake. */
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private readonly renew: TlsListener | null = null;
  /** While it drains: hears when the last connection is closed. */
  private onIdle: (() => void) | null = null;
  private boundPort = 0;
  private stopping: Promise<void> | null = null;

  constructor(
    private readonly options: GrpcServerOptions,
    methods: readonly UnaryMethod[],
    private readonly clock: Clock,
    streams: readonly StreamMethod[],
  ) {
    const { secret, tls, maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES, maxSentBytes } = options;
    this.streaming = byPath(streams);
    this.terms = {
      unary: byPath(methods),
      streaming: this.streaming,
      guard: secret === undefined ? null : new CallGuard(secret),
      maxReceived: maxMessageBytes,
      maxSent: maxSentBytes ?? maxMessageBytes,
      clock,
    };
    if (tls === undefined) {
      this.server = createServer((socket) => this.accept(socket));
    } else {
      const server = listenTls(tls, (socket) => this.accept(socket));
      server.on('tlsClientError', (error, socket) => this.tellFault(error, socket));
      this.renew = (material) => server.setSecureContext(secureOptions(material));
      this.server = server;
    }
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      // Node remembers what it was asked for: a handshake that fails later shall name the caller.
      void socket.remoteAddress;
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  get port(): number {
    return this.boundPort;
  }

  stop(graceMs: number = this.options.graceMs ?? DEFAULT_GRACE_MS): Promise<void> {
    return (this.stopping ??= this.end(graceMs));
  }

  private async listen(): Promise<void> {
    const { reflect, tls } = this.options;
    for (const method of reflect === undefined ? [] : reflectionMethods(reflect)) {
      this.streaming.set(method.path, method);
    }
    this.boundPort = await bindAddress(this.options, (host, port) => this.bind(host, port));
    if (this.renew !== null) tls?.subscribe(this.renew);
  }

  private bind(host: string, port: number): Promise<number> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        // Without files for more connections the system says so at each; those that are open go on.
        server.on('error', () => undefined);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  private tellFault(error: Error, socket: TLSSocket): void {
    const reason = handshakeFault(error, socket);
    if (reason !== null) this.options.onHandshakeFailed?.(reason, remoteOf(socket));
  }

  private accept(socket: Socket): void {
    tuneSocket(socket);
    if (this.onIdle !== null || !speaksHttp2(socket)) {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    const connection = new ServerConnection(socket, this.terms);
    this.connections.add(connection);
    socket.on('close', () => {
      this.connections.delete(connection);
      if (this.connections.size === 0) this.onIdle?.();
    });
  }

  private async finishCalls(): Promise<void> {
    if (this.renew !== null) this.options.tls?.unsubscribe(this.renew);
    this.server.close();
    const idle = new Promise<void>((resolve) => (this.onIdle = resolve));
    for (const connection of this.connections) connection.drain();
    if (this.connections.size > 0) await idle;
  }

  private async end(graceMs: number): Promise<void> {
    const spare = this.clock.after(graceMs, () => {
      for (const connection of this.connections) connection.terminate();
    });
    await this.drain();
    spare();
    for (const socket of this.sockets) socket.destroy();
  }
}

function byPath<Method extends { readonly path: string }>(
  methods: readonly Method[],
): Map<string, Method> {
  return new Map(methods.map((method) => [method.path, method]));
}

function listenTls(source: CertificateSource, accept: (socket: Socket) => void): TlsServer {
  const asked = source.current.ca !== null;
  const options = {
    ...secureOptions(source.current),
    ALPNProtocols: ['h2'],
    handshakeTimeout: TLS_TIMEOUT_MS,
    requestCert: asked,
    rejectUnauthorized: asked,
  };
  return createTlsServer(options, accept);
}
