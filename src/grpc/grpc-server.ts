import { Server, ServerCredentials, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { formatAddress, parseAddress } from '../base/address.js';
import { SystemClock } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { StartupError, messageOf } from '../base/errors.js';
import { memoised } from '../base/lifecycle.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from './channel-options.js';
import type { ListenCredentials } from './channel-options.js';
import { GrpcStatus } from './unary-caller.js';

/** One unary method, bytes in and bytes out. */
export interface UnaryMethod {
  /** Full path, `/package.Service/Method`. */
  readonly path: string;
  /**
   * Answers once, through `respond`, now or later; later answers are ignored. What it throws
   * becomes status INTERNAL without its text.
   * @param peer the caller as grpc-js names it, `127.0.0.1:5000` or `::1:5000`.
   */
  handle(request: Uint8Array, peer: string, respond: (response: Uint8Array) => void): void;
}

export interface GrpcServerOptions {
  /** `host:port`, or `:port` for every address of the machine; port 0 takes a free one. */
  readonly address: string;
  /** The configuration key that the address came from, for the message about a port in use. */
  readonly addressKey?: string;
  readonly credentials?: ListenCredentials;
  /** Largest message received, bytes; larger ones get RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes?: number;
  /** How long `stop` lets calls under way finish, ms. */
  readonly graceMs?: number;
}

/** Per connection; an upstream with more pushes than this under way waits for the first answers. */
const MAX_CONCURRENT_STREAMS = 1_000;
const DEFAULT_GRACE_MS = 2_000;

// grpc-js writes to standard error by itself; failures to bind come out of `start` instead.
if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);

/** A gRPC server of unary methods. `start`, `drain` and `stop` are idempotent. */
export class GrpcServer {
  /** Binds the port. @throws {StartupError} PORT_IN_USE or CANNOT_LISTEN, in one line. */
  readonly start = memoised(() => this.listen());
  /** Takes no new connection and no new call; resolves when the calls under way have finished. */
  readonly drain = memoised(() => this.finishCalls());
  /** As drain, but ends what has not finished after the grace time. */
  readonly stop = memoised(() => this.end());

  private readonly server: Server;
  private boundPort = 0;

  constructor(
    private readonly options: GrpcServerOptions,
    methods: readonly UnaryMethod[],
    private readonly clock: Clock = new SystemClock(),
  ) {
    this.server = new Server({
      'grpc.max_receive_message_length': options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': MAX_CONCURRENT_STREAMS,
      // Not without channelz: grpc-js 1.14 then forgets its connections and forceShutdown ends none.
    });
    for (const method of methods) this.register(method);
  }

  /** The port that was bound; 0 before `start`. */
  get port(): number {
    return this.boundPort;
  }

  private register(method: UnaryMethod): void {
    const identity = (bytes: Buffer): Buffer => bytes;
    const handler = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      let answered = false;
      const respond = (response: Uint8Array): void => {
        if (answered) return;
        answered = true;
        done(null, response as Buffer);
      };
      try {
        method.handle(call.request, call.getPeer(), respond);
      } catch {
        if (!answered) done({ code: GrpcStatus.INTERNAL, details: 'internal error' });
        answered = true;
      }
    };
    this.server.register(method.path, handler, identity, identity, 'unary');
  }

  private async listen(): Promise<void> {
    const { address } = this.options;
    const parsed = parseAddress(address);
    if (parsed === null) {
      throw new StartupError('BAD_ADDRESS', `${this.where()} ${address} is not host:port`);
    }
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
    throw this.startupError(address, failure);
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

  private startupError(address: string, cause: unknown): StartupError {
    if (/EADDRINUSE/.test(messageOf(cause))) {
      const advice = 'stop the other process or choose another port';
      return new StartupError('PORT_IN_USE', `${this.where()} ${address} is in use; ${advice}`, {
        cause,
      });
    }
    const reason = /E[A-Z]{4,}/.exec(messageOf(cause))?.[0] ?? messageOf(cause);
    const message = `cannot listen on ${this.where()} ${address} (${reason}); check the address`;
    return new StartupError('CANNOT_LISTEN', message, { cause });
  }

  private where(): string {
    return this.options.addressKey ?? 'gRPC address';
  }

  private finishCalls(): Promise<void> {
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()));
  }

  private async end(): Promise<void> {
    const graceMs = this.options.graceMs ?? DEFAULT_GRACE_MS;
    const spare = this.clock.after(graceMs, () => this.server.forceShutdown());
    await this.drain();
    spare();
  }
}
