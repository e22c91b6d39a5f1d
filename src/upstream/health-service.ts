import { SHORT_REQUEST_BYTES } from '../grpc/server-method.js';
import type {
  ResponseStream,
  StreamCall,
  StreamMethod,
  UnaryMethod,
} from '../grpc/server-method.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  decodeMessage,
  encodeMessage,
} from '../wire/messages.js';
import { Method } from '../wire/grpc-methods.js';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;
/** Services that can be asked for; the empty name is the server as a whole. */
const SERVICES: ReadonlySet<string> = new Set(['', 'gatesvr.proto.GatewayService']);
/** Watchers at once: a handful of load balancers; each costs a stream. */
const MAX_WATCHERS = 256;

/** grpc.health.v1 of the gateway itself: serving while it accepts clients and pushes. */
export class HealthService {
  private readonly watchers = new Set<Watcher>();
  private serving = false;

  /** Tells every watcher of a change. */
  set(serving: boolean): void {
    if (this.serving === serving) return;
    this.serving = serving;
    for (const watcher of this.watchers) watcher.tell();
  }

  methods(): UnaryMethod[] {
    return [
      {
        path: Method.HealthCheck,
        maxRequestBytes: SHORT_REQUEST_BYTES,
        handle: (bytes, _, respond, refuse) => {
          const service = serviceOf(bytes);
          if (service === null) refuse(GrpcStatus.INVALID_ARGUMENT, 'no HealthCheckRequest');
          else if (SERVICES.has(service)) respond(this.statusOf(service));
          else refuse(GrpcStatus.NOT_FOUND, 'unknown service');
        },
      },
    ];
  }

  streams(): StreamMethod[] {
    return [
      {
        path: Method.HealthWatch,
        maxRequestBytes: SHORT_REQUEST_BYTES,
        open: (responses) => new Watcher(responses, this),
      },
    ];
  }

  /** Ends every watch: the server stops. */
  close(): void {
    for (const watcher of [...this.watchers]) watcher.end();
  }

  /** @returns false where there are too many. */
  join(watcher: Watcher): boolean {
    if (this.watchers.size >= MAX_WATCHERS) return false;
    this.watchers.add(watcher);
    return true;
  }

  leave(watcher: Watcher): void {
    this.watchers.delete(watcher);
  }

  statusOf(service: string): Uint8Array {
    const known = this.serving ? SERVING : NOT_SERVING;
    return encodeMessage(HealthCheckResponse, {
      status: SERVICES.has(service) ? known : SERVICE_UNKNOWN,
    });
  }
}

/** One call of Watch: the status now, then every change. */
class Watcher implements StreamCall {
  private service: string | null = null;

  constructor(
    private readonly responses: ResponseStream,
    private readonly health: HealthService,
  ) {}

  onMessage(request: Uint8Array): void {
    if (this.service !== null) return;
    this.service = serviceOf(request);
    if (this.service === null) {
      this.responses.end(GrpcStatus.INVALID_ARGUMENT, 'no HealthCheckRequest');
    } else if (!this.health.join(this)) {
      this.responses.end(GrpcStatus.RESOURCE_EXHAUSTED, 'too many watchers');
    } else this.tell();
  }

  onHalfClose(): void {
    // Watching goes on.
  }

  onClosed(): void {
    this.health.leave(this);
  }

  end(): void {
    this.responses.end();
  }

  tell(): void {
    const told = this.responses.write(this.health.statusOf(this.service ?? ''));
    if (!told) this.responses.end(GrpcStatus.RESOURCE_EXHAUSTED, 'the watcher does not read');
  }
}

function serviceOf(bytes: Uint8Array): string | null {
  try {
    return decodeMessage(HealthCheckRequest, bytes).service;
  } catch {
    return null;
  }
}
