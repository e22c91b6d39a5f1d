import { Server, ServerCredentials, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import type { Metadata, sendUnaryData, ServerDuplexStream, ServerUnaryCall } from '@grpc/grpc-js';
import { formatAddress, parseAddress } from '../base/address.js';
import { SystemClock } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { StartupError, messageOf } from '../base/errors.js';
import { memoised } from '../base/lifecycle.js';
import { listenFailure } from '../base/listen-failure.js';
import { CallGuard } from './call-guard.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from './channel-options.js';
import type { ListenCredentials } from './channel-options.js';
import { serveReflection } from './reflection.js';
import type { StreamMethod, UnaryMethod } from './server-method.js';
import { ServerStream } from './server-stream.js';
import { GrpcStatus } from './unary-caller.js';

export type { UnaryMethod } from './server-method.js';

export interface GrpcServerOptions {
  /** `host:port`, or `:port` for every address of the machine; port 0 takes a free one. */
  readonly address: string;
  /** The configuration key that the address came from, for the message about a port in use. */
  readonly addressKey?: string;
  readonly credentials?: ListenCredentials;
  /** What callers of guarded methods must give; none by default. */
  readonly secret?: string;
  /** Tells callers such as grpcurl which methods there are (of these services, by full name). */
  readonly reflect?: readonly string[];
  /** Largest message received, bytes; larger ones get RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes?: number;
  /** Largest message sent, bytes; default maxMessageBytes. */
  readonly maxSentBytes?: number;
  /** How long `stop` lets calls under way finish, ms. */
  readonly graceMs?: number;
}

const UNAUTHENTICATED = {
  code: GrpcStatus.UNAUTHENTICATED,
  details: 'metadata authorization: Bearer SECRET is missing or wrong',
};
const identity = (bytes: Buffer): Buffer => bytes;

/** Per connection; an upstream with more pushes than this under way waits for the first answers. */
const MAX_CONCURRENT_STREAMS = 1_000;
const DEFAULT_GRACE_MS = 2_000;

// grpc-js writes to standard error by itself; failures to bind come out of `start` instead.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

/** A gRPC server of unary and streaming methods. `start`, `drain` and `stop` are idempotent. */
export class GrpcServer {
  /** Binds the port. @throws {StartupError} PORT_IN_USE, BAD_ADDRESS or CANNOT_LISTEN, in one line. */
  readonly start = memoised(() => this.listen());
  /** Takes no new connection and no new call; resolves when the calls under way have finished. */
  readonly drain = memoised(() => this.finishCalls());
  private readonly server: Server;
  private readonly guard: CallGuard | null;
  private boundPort = 0;
  private stopping: Promise<void> | null = null;

  constructor(
    private readonly options: GrpcServerOptions,
    methods: readonly UnaryMethod[],
    private readonly clock: Clock = new SystemClock(),
    streams: readonly StreamMethod[] = [],
  ) {
    this.guard = options.secret === undefined ? null : new CallGuard(options.secret);
    const maxReceived = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.server = new Server({
      'grpc.max_receive_message_length': maxReceived,
      'grpc.max_send_message_length': options.maxSentBytes ?? maxReceived,
      'grpc.max_concurrent_streams': MAX_CONCURRENT_STREAMS,
      // Not without channelz: grpc-js 1.14 then forgets its connections and forceShutdown ends none.
    });
    for (const method of methods) this.register(method);
    for (const method of streams) this.registerStream(method);
  }

  /** The port that was bound; 0 before `start`. */
  get port(): number {
    return this.boundPort;
  }

  /** As drain, but ends what has not finished after the grace time, ms. */
  stop(graceMs: number = this.options.graceMs ?? DEFAULT_GRACE_MS): Promise<void> {
    return (this.stopping ??= this.end(graceMs));
  }

  private register(method: UnaryMethod): void {
    const handler = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      let answered = false;
      const answer = (error: { code: number; details: string } | null, value?: Buffer): void => {
        if (answered) return;
        answered = true;
        done(error, value);
      };
      if (!this.admits(method, call.metadata)) return answer(UNAUTHENTICATED);
      try {
        method.handle(
          call.request,
          call.getPeer(),
          (response) => answer(null, response as Buffer),
          (code, details) => answer({ code, details }),
        );
      } catch {
        answer({ code: GrpcStatus.INTERNAL, details: 'internal error' });
      }
    };
    this.server.register(method.path, handler, identity, identity, 'unary');
  }

  private registerStream(method: StreamMethod): void {
    const handler = (call: ServerDuplexStream<Buffer, Buffer>): void => {
      const stream = new ServerStream(call);
      if (this.admits(method, call.metadata)) stream.serve(method);
      else stream.end(UNAUTHENTICATED.code, UNAUTHENTICATED.details);
    };
    this.server.register(method.path, handler, identity, identity, 'bidi');
  }

  private admits(method: { readonly guarded?: boolean }, metadata: Metadata): boolean {
    if (this.guard === null || method.guarded !== true) return true;
    return this.guard.admits(metadata.get('authorization')[0]);
  }

  private async listen(): Promise<void> {
    const { address } = this.options;
    const parsed = parseAddress(address);
    if (parsed === null) {
      throw new StartupError('BAD_ADDRESS', `${this.where()} ${address} is not host:port`);
    }
    if (this.options.reflect !== undefined)
      await serveReflection(this.server, this.options.reflect);
    // Like Go's `:port`: both families where the machine has both.
    const hosts = parsed.host === '' ? ['::', '0.0.0.0'] : [parsed.host];
    let failure: unknown = null;
    for (const host of hosts) {
      try {
        this.boundPort = await this.bind(formatAddress(host, parsed.port));
        return;
      } catch (error) {
        failure = error;
        if (!/EAFNOSUPPORT|EADDRNOTAVAIL/.test(messageOf(error))) break;
      }
    }
    throw listenFailure(this.where(), parsed.host, parsed.port, failure);
  }

  private bind(address: string): Promise<number> {
    const listen = this.options.credentials ?? ServerCredentials.createInsecure();
    return new Promise((resolve, reject) => {
      this.server.bindAsync(address, listen, (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
  }

  private where(): string {
    return this.options.addressKey ?? 'gRPC address';
  }

  private finishCalls(): Promise<void> {
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()));
  }

  private async end(graceMs: number): Promise<void> {
    const spare = this.clock.after(graceMs, () => this.server.forceShutdown());
    await this.drain();
    spare();
  }
}
