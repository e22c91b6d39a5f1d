import type { CallerTls } from '../../grpc/caller-tls.js';
import { grpcJsCallers } from '../../grpc/grpc-js-caller.js';
import type { CallFailure, UnaryCaller } from '../../grpc/unary-caller.js';
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
import { Method } from '../../wire/grpc-methods.js';

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
  private readonly caller: UnaryCaller;

  /** @param timeoutMs for every call. */
  constructor(
    readonly address: string,
    private readonly timeoutMs: number,
    { secret, tls }: GatewayAccess = {},
  ) {
    const tuning = secret === undefined ? {} : { secret };
    const material = tls === undefined ? null : { ...SYSTEM_TLS, ...tls };
    this.caller = grpcJsCallers(tuning, () => material)(address);
  }

  register(request: Parameters<typeof UpstreamRegisterRequest.encode>[0]) {
    return this.call(
      Method.RegisterUpstream,
      UpstreamRegisterRequest,
      request,
      UpstreamRegisterResponse,
    );
  }

  push(request: Parameters<typeof UnicastPushRequest.encode>[0]) {
    return this.call(Method.PushToClient, UnicastPushRequest, request, UnicastPushResponse);
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
