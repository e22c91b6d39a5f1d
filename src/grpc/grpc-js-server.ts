import type {
  Metadata,
  sendUnaryData,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
} from '@grpc/grpc-js';
import { formatAddress } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import { memoised } from '../base/lifecycle.js';
import { CallGuard, UNAUTHENTICATED_DETAILS } from './call-guard.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from './channel-options.js';
import { grpcJs } from './grpc-js-library.js';
import { GrpcJsServerStream } from './grpc-js-server-stream.js';
import { serverCredentials } from './grpc-js-server-tls.js';
import { DEFAULT_GRACE_MS, MAX_CONCURRENT_STREAMS, bindAddress } from './grpc-server.js';
import type { GrpcServer, GrpcServerOptions } from './grpc-server.js';
import { reflectionMethods } from './reflection.js';
import type { StreamMethod, UnaryMethod } from './server-method.js';
import { GrpcStatus } from './unary-caller.js';

const UNAUTHENTICATED = {
  code: GrpcStatus.UNAUTHENTICATED,
  details: UNAUTHENTICATED_DETAILS,
};
const identity = (bytes: Buffer): Buffer => bytes;

/** A GrpcServer by @grpc/grpc-js. */
export class GrpcJsServer implements GrpcServer {
  readonly start = memoised(() => this.listen());
  readonly drain = memoised(() => this.finishCalls());
  private readonly server: Server;
  private readonly guard: CallGuard | null;
  private boundPort = 0;
  private stopping: Promise<void> | null = null;

  constructor(
    private readonly options: GrpcServerOptions,
    methods: readonly UnaryMethod[],
    private readonly clock: Clock,
    streams: readonly StreamMethod[],
  ) {
    this.guard = options.secret === undefined ? null : new CallGuard(options.secret);
    const maxReceived = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    const { Server, logVerbosity, setLogVerbosity } = grpcJs();
    // It writes to standard error by itself; failures to bind come out of `start` instead.
    if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);
    this.server = new Server({
      'grpc.max_receive_message_length': maxReceived,
      'grpc.max_send_message_length': options.maxSentBytes ?? maxReceived,
      'grpc.max_concurrent_streams': MAX_CONCURRENT_STREAMS,
      // Not without channelz: grpc-js 1.14 then forgets its connections and forceShutdown ends none.
    });
    for (const method of methods) this.register(method);
    for (const method of streams) this.registerStream(method);
  }

  get port(): number {
    return this.boundPort;
  }

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
      const stream = new GrpcJsServerStream(call);
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
    const { reflect } = this.options;
    const reflected = reflect === undefined ? [] : reflectionMethods(reflect);
    for (const method of reflected) this.registerStream(method);
    this.boundPort = await bindAddress(this.options, (host, port) => this.bind(host, port));
  }

  private bind(host: string, port: number): Promise<number> {
    const { tls } = this.options;
    const credentials =
      tls === undefined ? grpcJs().ServerCredentials.createInsecure() : serverCredentials(tls);
    return new Promise((resolve, reject) => {
      this.server.bindAsync(formatAddress(host, port), credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  }

  private finishCalls(): Promise<void> {
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()));
  }

  private async end(graceMs: number): Promise<void> {
    // Where a client closes while it is told to go, grpc-js may never say that it has shut down.
    await new Promise<void>((resolve) => {
      const spare = this.clock.after(graceMs, () => {
        this.server.forceShutdown();
        resolve();
      });
      void this.drain().then(() => {
        spare();
        resolve();
      });
    });
  }
}
