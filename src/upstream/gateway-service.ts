import type { UnaryMethod } from '../grpc/server-method.js';
import type { Logger } from '../telemetry/log.js';
import {
  BroadcastRequest,
  BroadcastResponse,
  UnicastPushRequest,
  UnicastPushResponse,
  UpstreamRegisterRequest,
  UpstreamRegisterResponse,
} from '../wire/messages.js';
import { Method } from '../wire/grpc-methods.js';
import { offerPush, refuseAudience, refuseSize } from './push-check.js';
import type { Refusal } from './push-check.js';
import type { PushSink } from './push-sink.js';
import type { RegistrationSink } from './registration-sink.js';
import { serveTyped } from './typed-method.js';

/**
 * The service that deployed upstreams call (WIRE.md, "Upstream edge"). Whatever is wrong with a push or
 * a registration is said in the response, with success=false and an error_code (a broadcast has only
 * its message and sent_count 0).
 */
export class GatewayService {
  constructor(
    private readonly pushes: PushSink,
    private readonly registrations: RegistrationSink,
    private readonly logger: Logger,
  ) {}

  /** The methods to serve, for a GrpcServer. */
  methods(): UnaryMethod[] {
    return [this.push(), this.broadcast(), this.register()];
  }

  private push(): UnaryMethod {
    return serveTyped(
      {
        path: Method.PushToClient,
        request: UnicastPushRequest,
        response: UnicastPushResponse,
        refusal: (message) => ({ success: false, message, errorCode: 'PUSH_FAILED' }),
        handle: (push, answer) => offerPush(this.pushes, push, answer),
      },
      this.logger,
    );
  }

  private broadcast(): UnaryMethod {
    return serveTyped(
      {
        path: Method.BroadcastToClients,
        request: BroadcastRequest,
        response: BroadcastResponse,
        refusal: (message) => ({ sentCount: 0, message: `PUSH_FAILED: ${message}` }),
        handle: (broadcast, answer) => {
          const refusal = this.refuseBroadcast(broadcast);
          if (refusal !== null) {
            answer({ sentCount: 0, message: `${refusal.code}: ${refusal.message}` });
            return;
          }
          this.pushes.broadcast(broadcast, (sentCount, message) => answer({ sentCount, message }));
        },
      },
      this.logger,
    );
  }

  private refuseBroadcast(broadcast: BroadcastRequest): Refusal | null {
    const knows = (zone: string): boolean => this.registrations.knowsZone(zone);
    return refuseSize(broadcast) ?? refuseAudience(broadcast, knows);
  }

  private register(): UnaryMethod {
    return serveTyped(
      {
        path: Method.RegisterUpstream,
        request: UpstreamRegisterRequest,
        response: UpstreamRegisterResponse,
        refusal: (message) => ({ success: false, message, errorCode: 'REGISTER_FAILED' }),
        handle: ({ address, zoneId, serviceName, capabilities }, answer, peer) => {
          const request = { address, zoneId, serviceName, capabilities, peer };
          this.registrations.register(request, answer);
        },
      },
      this.logger,
    );
  }
}
