import type { UnaryMethod } from '../grpc/server-method.js';
import type { Logger } from '../telemetry/log.js';
import { UpstreamDeregisterRequest, UpstreamDeregisterResponse } from '../wire/messages.js';
import { Method } from '../wire/grpc-methods.js';
import { serveTyped } from './typed-method.js';

/** A DeregisterUpstream call as it came, nothing checked. */
export interface DeregistrationRequest {
  readonly address: string;
  readonly zoneId: string;
  /** Whom the call came from, as gRPC names it. */
  readonly peer: string;
}

/** The answer; `errorCode` is empty on success. */
export interface DeregistrationResult {
  readonly success: boolean;
  readonly message: string;
  readonly errorCode:
    | 'INVALID_ADDRESS'
    | 'INVALID_ZONE_ID'
    | 'NOT_REGISTERED'
    | 'NOT_ALLOWED'
    | 'NOT_PRIMARY'
    | 'REPLICATION_LAG'
    | 'JOURNAL_FAILED'
    | '';
}

/** Where upstreams that leave say so; routing implements it. */
export interface DeregistrationSink {
  /** Answers through `done`, exactly once, possibly before it returns. */
  deregister(request: DeregistrationRequest, done: (result: DeregistrationResult) => void): void;
}

/** DeregisterUpstream: an instance leaves before it stops; what it is working on is still answered. */
export function deregisterMethod(sink: DeregistrationSink, logger: Logger): UnaryMethod {
  return serveTyped(
    {
      path: Method.DeregisterUpstream,
      request: UpstreamDeregisterRequest,
      response: UpstreamDeregisterResponse,
      refusal: (message) => ({ success: false, message, errorCode: 'DEREGISTER_FAILED' }),
      handle: ({ address, zoneId }, answer, peer) =>
        sink.deregister({ address, zoneId, peer }, answer),
    },
    logger,
  );
}
