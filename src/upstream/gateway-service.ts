import { messageOf } from '../base/errors.js';
import type { UnaryMethod } from '../grpc/grpc-server.js';
import type { Logger } from '../telemetry/log.js';
import {
  BroadcastRequest,
  BroadcastResponse,
  UnicastPushRequest,
  UnicastPushResponse,
  UpstreamRegisterRequest,
  UpstreamRegisterResponse,
  decodeMessage,
  encodeMessage,
} from '../wire/messages.js';
import type { MessageCodec } from '../wire/messages.js';
import { Method } from './methods.js';
import { refusePush, refuseSize } from './push-check.js';
import type { PushResult, PushSink } from './push-sink.js';
import type { RegistrationResult, RegistrationSink } from './registration-sink.js';

type Respond = (response: Uint8Array) => void;

/**
 * The service that upstreams call (WIRE.md, "Upstream edge"). Whatever is wrong with a push or a
 * registration is said in the response, with success=false and an error_code (a broadcast has only
 * its message and sent_count 0): a gRPC error never means more than that the transport failed.
 */
export class GatewayService {
  constructor(
    private readonly pushes: PushSink,
    private readonly registrations: RegistrationSink,
    private readonly logger: Logger,
  ) {}

  /** The methods to serve, for a GrpcServer. */
  methods(): UnaryMethod[] {
    return [
      {
        path: Method.PushToClient,
        handle: (bytes, _, respond) => this.push(bytes, respond),
      },
      {
        path: Method.BroadcastToClients,
        handle: (bytes, _, respond) => this.broadcast(bytes, respond),
      },
      {
        path: Method.RegisterUpstream,
        handle: (bytes, peer, respond) => this.register(bytes, peer, respond),
      },
    ];
  }

  private push(bytes: Uint8Array, respond: Respond): void {
    const answer = (result: PushResult): void =>
      respond(encodeMessage(UnicastPushResponse, result));
    const refuse = (message: string): void =>
      answer({ success: false, message, errorCode: 'PUSH_FAILED' });
    const push = decodeOr(UnicastPushRequest, bytes, refuse);
    if (push === null) return;
    const refusal = refusePush(push);
    if (refusal === null) this.guard('push', () => this.pushes.push(push, answer), refuse);
    else answer({ success: false, message: refusal.message, errorCode: refusal.code });
  }

  private broadcast(bytes: Uint8Array, respond: Respond): void {
    const answer = (sentCount: number, message: string): void =>
      respond(encodeMessage(BroadcastResponse, { sentCount, message }));
    const refuse = (message: string): void => answer(0, `PUSH_FAILED: ${message}`);
    const broadcast = decodeOr(BroadcastRequest, bytes, refuse);
    if (broadcast === null) return;
    const refusal = refuseSize(broadcast);
    if (refusal !== null) answer(0, `${refusal.code}: ${refusal.message}`);
    else this.guard('broadcast', () => this.pushes.broadcast(broadcast, answer), refuse);
  }

  private register(bytes: Uint8Array, peer: string, respond: Respond): void {
    const answer = (result: RegistrationResult): void =>
      respond(encodeMessage(UpstreamRegisterResponse, result));
    const refuse = (message: string): void =>
      answer({ success: false, message, errorCode: 'REGISTER_FAILED' });
    const registration = decodeOr(UpstreamRegisterRequest, bytes, refuse);
    if (registration === null) return;
    const { address, zoneId, serviceName, capabilities } = registration;
    const request = { address, zoneId, serviceName, capabilities, peer };
    this.guard('registration', () => this.registrations.register(request, answer), refuse);
  }

  /** A sink that throws is our fault: the log has the details, the upstream only learns that. */
  private guard(what: string, run: () => void, refuse: (message: string) => void): void {
    try {
      run();
    } catch (error) {
      this.logger.error({ err: error }, `a ${what} failed inside the gateway`);
      refuse('internal error');
    }
  }
}

/** Decodes the request, or refuses it with the reason and returns null. */
function decodeOr<Decoded extends Properties, Properties>(
  codec: MessageCodec<Decoded, Properties>,
  bytes: Uint8Array,
  refuse: (message: string) => void,
): Decoded | null {
  try {
    return decodeMessage(codec, bytes);
  } catch (error) {
    refuse(`the request is malformed: ${messageOf(error)}`);
    return null;
  }
}
