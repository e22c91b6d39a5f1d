import type { CallerTls } from '../../grpc/caller-tls.js';
import { framedCallers } from '../../grpc/caller-kinds.js';
import type { Http2Caller } from '../../grpc/http2-caller.js';
import type { CallFailure } from '../../grpc/unary-caller.js';
import {
  BroadcastRequest,
  BroadcastResponse,
  GetClientRequest,
  GetClientResponse,
  KickClientRequest,
  KickClientResponse,
  PushBatchRequest,
  PushBatchResponse,
  UnicastPushRequest,
  UnicastPushResponse,
  UpstreamDeregisterRequest,
  UpstreamDeregisterResponse,
  UpstreamRegisterRequest,
  UpstreamRegisterResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';
import type { MessageCodec } from '../../wire/messages.js';
import { SystemClock } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';
import { Method } from '../../wire/grpc-methods.js';
import { PushError } from './errors.js';
import { GatewayWatch } from './gateway-watch.js';
import { pushBytes } from './push-content.js';
import type { PushFields } from './push-content.js';
import { PushStream } from './push-stream.js';

/** A call that brought no response. */
export class CallError extends Error {
  constructor(
    readonly failure: CallFailure,
    address: string,
  ) {
    super(`gateway ${address}: ${failure.message}`);
    this.name = 'CallError';
  }
}

/** How an upstream proves itself to gateways and checks them. */
export interface GatewayAccess {
  /** The gateways' grpc.secret. */
  readonly secret?: string;
  /** Their ports speak TLS (grpc.tls); PEM. Plaintext by default. */
  readonly tls?: Partial<CallerTls>;
}

/** A gateway that said that it is a backup is asked to register again every 5 s, and says so again. */
const BACKUP_REMEMBERED_MS = 10_000;
const SYSTEM_TLS: CallerTls = { ca: null, cert: null, key: null, serverName: null };

/** The calls of an upstream to one gateway. */
export class GatewayCaller {
  private readonly caller: Http2Caller;
  private readonly pushes: PushStream;
  /** Monotonic ms; until then it counts as a backup. */
  private backupUntil = -Infinity;

  /** @param timeoutMs for every call. */
  constructor(
    readonly address: string,
    private readonly timeoutMs: number,
    { secret, tls }: GatewayAccess = {},
    private readonly clock: Clock = new SystemClock(),
  ) {
    const tuning = secret === undefined ? {} : { secret };
    const material = tls === undefined ? null : { ...SYSTEM_TLS, ...tls };
    this.caller = framedCallers(tuning, () => material)(address);
    this.pushes = new PushStream(this.caller, clock, timeoutMs);
  }

  /** When it last said anything about it, and not long ago, the gateway was the backup of a pair. */
  get isBackup(): boolean {
    return this.clock.now() < this.backupUntil;
  }

  async register(request: Parameters<typeof UpstreamRegisterRequest.encode>[0]) {
    const method = Method.RegisterUpstream;
    const codec = UpstreamRegisterResponse;
    return this.hear(await this.call(method, UpstreamRegisterRequest, request, codec));
  }

  /** Over PushStream where the gateway serves it. @throws {CallError}, {PushError} TOO_LARGE. */
  push(request: PushFields): Promise<UnicastPushResponse> {
    if (this.pushes.refused) return this.pushAlone(request);
    const bytes = pushBytes(request);
    // On the stream it would end what others wait for.
    if (bytes > this.caller.maxMessageBytes) return Promise.reject(this.tooLarge(bytes));
    return new Promise((resolve, reject) =>
      this.pushes.push(request, bytes, {
        onResult: (response) => resolve(this.hear(response)),
        onFailure: (failure) => reject(new CallError(failure, this.address)),
        onRefused: () => resolve(this.pushAlone(request)),
      }),
    );
  }

  /** By PushToClient, a call for each push. @throws as `push`. */
  async pushAlone(request: PushFields): Promise<UnicastPushResponse> {
    const method = Method.PushToClient;
    return this.hear(await this.call(method, UnicastPushRequest, request, UnicastPushResponse));
  }

  /** Remembers whether it says that it is a backup. */
  private hear<Answer extends { errorCode: string }>(answer: Answer): Answer {
    const backup = answer.errorCode === 'NOT_PRIMARY';
    this.backupUntil = backup ? this.clock.now() + BACKUP_REMEMBERED_MS : -Infinity;
    return answer;
  }

  /** Watches whether the gateway goes and comes back. @param onReturned it serves again. */
  watch(onReturned: () => void): GatewayWatch {
    return new GatewayWatch(this.caller, this.clock, () => {
      this.pushes.forget();
      onReturned();
    });
  }

  broadcast(request: Parameters<typeof BroadcastRequest.encode>[0]) {
    return this.call(Method.BroadcastToClients, BroadcastRequest, request, BroadcastResponse);
  }

  async pushBatch(request: Parameters<typeof PushBatchRequest.encode>[0]) {
    const method = Method.PushBatch;
    const answer = await this.call(method, PushBatchRequest, request, PushBatchResponse);
    const last = answer.results.at(-1);
    if (last !== undefined) this.hear({ errorCode: last.errorCode ?? '' });
    return answer;
  }

  kick(request: Parameters<typeof KickClientRequest.encode>[0]) {
    return this.call(Method.KickClient, KickClientRequest, request, KickClientResponse);
  }

  getClient(request: Parameters<typeof GetClientRequest.encode>[0]) {
    return this.call(Method.GetClient, GetClientRequest, request, GetClientResponse);
  }

  deregister(request: Parameters<typeof UpstreamDeregisterRequest.encode>[0]) {
    const method = Method.DeregisterUpstream;
    return this.call(method, UpstreamDeregisterRequest, request, UpstreamDeregisterResponse);
  }

  close(): void {
    this.pushes.close();
    this.caller.close();
  }

  private tooLarge(bytes: number): PushError {
    const limit = this.caller.maxMessageBytes;
    const message = `never sent: ${bytes} bytes, a message to a gateway takes ${limit}`;
    return new PushError('TOO_LARGE', message);
  }

  /** @throws {CallError}, {PushError} TOO_LARGE. */
  private call<Request extends Asked, Asked, Response extends Answered, Answered>(
    method: string,
    requestCodec: MessageCodec<Request, Asked>,
    request: Asked,
    responseCodec: MessageCodec<Response, Answered>,
  ): Promise<Response> {
    const bytes = encodeMessage(requestCodec, request);
    const { length } = bytes;
    if (length > this.caller.maxMessageBytes) return Promise.reject(this.tooLarge(length));
    return new Promise<Response>((resolve, reject) => {
      this.caller.call(method, bytes, this.timeoutMs, {
        onResponse: (response) => {
          try {
            resolve(decodeMessage(responseCodec, response));
          } catch (error) {
            reject(error as Error);
          }
        },
        onFailure: (failure) => reject(new CallError(failure, this.address)),
      });
    });
  }
}
