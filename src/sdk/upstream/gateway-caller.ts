import type { CallerTls } from '../../grpc/caller-tls.js';
import { grpcJsCallers } from '../../grpc/grpc-js-caller.js';
import type { GrpcJsCaller } from '../../grpc/grpc-js-caller.js';
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
import { GatewayWatch } from './gateway-watch.js';
import { PushStream } from './push-stream.js';
import type { PushFields } from './push-stream.js';

/** A call that brought no response. */
export class CallError extends Error {
  constructor(
    readonly failure: CallFailure,
    address: string,
  ) {
    super(`gateway ${address}: ${plain(failure.message)}`);
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

const SYSTEM_TLS: CallerTls = { ca: null, cert: null, key: null, serverName: null };

/** The calls of an upstream to one gateway. */
export class GatewayCaller {
  private readonly caller: GrpcJsCaller;
  private readonly pushes: PushStream;

  /** @param timeoutMs for every call. */
  constructor(
    readonly address: string,
    private readonly timeoutMs: number,
    { secret, tls }: GatewayAccess = {},
    private readonly clock: Clock = new SystemClock(),
  ) {
    const tuning = secret === undefined ? {} : { secret };
    const material = tls === undefined ? null : { ...SYSTEM_TLS, ...tls };
    this.caller = grpcJsCallers(tuning, () => material)(address);
    this.pushes = new PushStream(this.caller, clock, timeoutMs);
  }

  register(request: Parameters<typeof UpstreamRegisterRequest.encode>[0]) {
    return this.call(
      Method.RegisterUpstream,
      UpstreamRegisterRequest,
      request,
      UpstreamRegisterResponse,
    );
  }

  /** Over PushStream where the gateway serves it. @throws {CallError} */
  push(request: PushFields): Promise<UnicastPushResponse> {
    if (this.pushes.refused) return this.pushAlone(request);
    return new Promise((resolve, reject) =>
      this.pushes.push(request, {
        onResult: resolve,
        onFailure: (failure) => reject(new CallError(failure, this.address)),
        onRefused: () => resolve(this.pushAlone(request)),
      }),
    );
  }

  private pushAlone(request: PushFields): Promise<UnicastPushResponse> {
    return this.call(Method.PushToClient, UnicastPushRequest, request, UnicastPushResponse);
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

  pushBatch(request: Parameters<typeof PushBatchRequest.encode>[0]) {
    return this.call(Method.PushBatch, PushBatchRequest, request, PushBatchResponse);
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

  /** @throws {CallError} */
  private call<Request extends Asked, Asked, Response extends Answered, Answered>(
    method: string,
    requestCodec: MessageCodec<Request, Asked>,
    request: Asked,
    responseCodec: MessageCodec<Response, Answered>,
  ): Promise<Response> {
    const bytes = encodeMessage(requestCodec, request);
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

/** The cause alone, of what grpc-js says when it cannot connect. */
function plain(message: string): string {
  return /Last error: (?:Error: )?([^]*?)\.? Resolution note:/.exec(message)?.[1] ?? message;
}
