import { GrpcJsCaller } from '../../grpc/grpc-js-caller.js';
import type { CallFailure, UnaryCaller } from '../../grpc/unary-caller.js';
import {
  BroadcastRequest,
  BroadcastResponse,
  UnicastPushRequest,
  UnicastPushResponse,
  UpstreamRegisterRequest,
  UpstreamRegisterResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';
import type { MessageCodec } from '../../wire/messages.js';
import { CALLED } from './methods.js';

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

/** The calls of an upstream to one gateway. */
export class GatewayCaller {
  private readonly caller: UnaryCaller;

  /** @param timeoutMs for every call. */
  constructor(
    readonly address: string,
    private readonly timeoutMs: number,
  ) {
    this.caller = new GrpcJsCaller(address);
  }

  register(request: Parameters<typeof UpstreamRegisterRequest.encode>[0]) {
    return this.call(CALLED.register, UpstreamRegisterRequest, request, UpstreamRegisterResponse);
  }

  push(request: Parameters<typeof UnicastPushRequest.encode>[0]) {
    return this.call(CALLED.push, UnicastPushRequest, request, UnicastPushResponse);
  }

  broadcast(request: Parameters<typeof BroadcastRequest.encode>[0]) {
    return this.call(CALLED.broadcast, BroadcastRequest, request, BroadcastResponse);
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
