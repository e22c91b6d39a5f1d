import type { UnaryMethod } from '../grpc/server-method.js';
import type { Logger } from '../telemetry/log.js';
import {
  GetClientRequest,
  GetClientResponse,
  KickClientRequest,
  KickClientResponse,
} from '../wire/messages.js';
import type { ClientDirectory, ClientTarget } from './client-directory.js';
import { Method } from '../wire/grpc-methods.js';
import { refuseTarget } from './push-check.js';
import { serveTyped } from './typed-method.js';

/** The reason travels in one frame and into a log line. */
const MAX_REASON_BYTES = 1_024;
const DEFAULT_REASON = 'ended by the service';

/** Questions about single clients, and their removal. */
export class ClientService {
  constructor(
    private readonly clients: ClientDirectory,
    private readonly logger: Logger,
  ) {}

  /** The methods to serve, for a GrpcServer. */
  methods(): UnaryMethod[] {
    return [this.kick(), this.get()];
  }

  private kick(): UnaryMethod {
    return serveTyped(
      {
        path: Method.KickClient,
        request: KickClientRequest,
        response: KickClientResponse,
        refusal: (message) => ({ success: false, message, errorCode: 'KICK_FAILED' }),
        handle: (request, answer) => {
          const refusal =
            refuseTarget(request) ?? refuseReason(request.reason) ?? this.refuseHere();
          if (refusal !== null) {
            answer({ success: false, message: refusal.message, errorCode: refusal.code });
            return;
          }
          const sessionId = this.clients.kick(request, request.reason || DEFAULT_REASON);
          if (sessionId === null) answer({ success: false, ...notThere(request) });
          else answer({ success: true, message: 'the session has ended', sessionId });
        },
      },
      this.logger,
    );
  }

  private get(): UnaryMethod {
    return serveTyped(
      {
        path: Method.GetClient,
        request: GetClientRequest,
        response: GetClientResponse,
        refusal: (message) => ({ success: false, message, errorCode: 'GET_FAILED' }),
        handle: (request, answer) => {
          const refusal = refuseTarget(request) ?? this.refuseHere();
          if (refusal === null) answer({ success: true, ...this.clients.find(request) });
          else answer({ success: false, message: refusal.message, errorCode: refusal.code });
        },
      },
      this.logger,
    );
  }

  /** The backup of a pair knows nobody, and whom a primary without its lease knows may be elsewhere. */
  private refuseHere() {
    const message = this.clients.elsewhere;
    return message === null ? null : { code: 'NOT_PRIMARY', message };
  }
}

function refuseReason(reason: string) {
  if (Buffer.byteLength(reason) <= MAX_REASON_BYTES) return null;
  return { code: 'KICK_FAILED', message: `reason is longer than ${MAX_REASON_BYTES} bytes` };
}

function notThere({ targetType }: ClientTarget): { message: string; errorCode: string } {
  return targetType === 'session'
    ? { message: 'no such session', errorCode: 'SESSION_NOT_FOUND' }
    : { message: 'the openid has no session', errorCode: 'OPENID_OFFLINE' };
}
