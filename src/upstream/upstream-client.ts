import { messageOf } from '../base/errors.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { CallFailure, CallHandle, CallObserver, UnaryCaller } from '../grpc/unary-caller.js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  StatusRequest,
  StatusResponse,
  decodeMessage,
  encodeMessage,
} from '../wire/messages.js';
import { Method } from '../wire/grpc-methods.js';

/** How to reach an address; whoever makes an UpstreamClient hands it through. */
export type { CallerFactory } from '../grpc/unary-caller.js';

/** What a probe found: alive, or why not, in one line for logs. */
export type ProbeResult =
  { readonly alive: true } | { readonly alive: false; readonly reason: string };

const ALIVE: ProbeResult = { alive: true };
const NOT_SERVING = 2;
/** grpc.health.v1: the empty name asks for the server as a whole. */
const HEALTH_REQUEST = encodeMessage(HealthCheckRequest, { service: '' });

/** The gateway's side of one upstream instance. */
export class UpstreamClient {
  /** Whether the instance serves grpc.health.v1; null until it was asked. */
  private servesHealth: boolean | null = null;

  constructor(
    private readonly caller: UnaryCaller,
    private readonly serviceName: string,
  ) {}

  /**
   * Sends an encoded UpstreamRequest; the observer gets an encoded UpstreamResponse, unchecked
   * (ProcessCall checks it).
   * @param deadline ms from now.
   */
  processRequest(request: Uint8Array, deadline: number, observer: CallObserver): CallHandle {
    return this.caller.call(Method.ProcessRequest, request, deadline, observer);
  }

  /** Asks for the instance's own account of itself. */
  getStatus(
    deadline: number,
    done: (status: StatusResponse | null, failure: CallFailure | null) => void,
  ): CallHandle {
    const request = encodeMessage(StatusRequest, { serviceName: this.serviceName });
    return this.caller.call(Method.GetStatus, request, deadline, {
      onResponse: (bytes) => {
        try {
          done(decodeMessage(StatusResponse, bytes), null);
        } catch (error) {
          const message = `GetStatus answered garbage: ${messageOf(error)}`;
          done(null, { status: GrpcStatus.INTERNAL, message, neverSent: false });
        }
      },
      onFailure: (failure) => done(null, failure),
    });
  }

  /**
   * Asks grpc.health.v1 where it is served, else GetStatus. An instance that serves neither but says
   * so (UNIMPLEMENTED) is alive, and so is one that answers with any status of its own making:
   * only silence, UNAVAILABLE, NOT_SERVING and garbage are signs of death.
   * @param deadline ms from now, for each of the two questions.
   */
  probe(deadline: number, done: (result: ProbeResult) => void): void {
    if (this.servesHealth === false) this.probeStatus(deadline, done);
    else this.probeHealth(deadline, done);
  }

  /** Forgets what was learnt about the process behind the address, which may be another by now. */
  forget(): void {
    this.servesHealth = null;
  }

  close(): void {
    this.caller.close();
  }

  private probeHealth(deadline: number, done: (result: ProbeResult) => void): void {
    this.caller.call(Method.HealthCheck, HEALTH_REQUEST, deadline, {
      onResponse: (bytes) => {
        this.servesHealth = true;
        done(readHealth(bytes));
      },
      onFailure: (failure) => {
        if (isSilence(failure)) {
          done({ alive: false, reason: failure.message });
          return;
        }
        this.servesHealth = false;
        this.probeStatus(deadline, done);
      },
    });
  }

  private probeStatus(deadline: number, done: (result: ProbeResult) => void): void {
    this.getStatus(deadline, (status, failure) => {
      if (status !== null || failure === null) done(ALIVE);
      else if (isSilence(failure)) done({ alive: false, reason: failure.message });
      else done(ALIVE);
    });
  }
}

/** Nobody answered, or what answered did not speak gRPC. */
function isSilence(failure: CallFailure): boolean {
  if (failure.neverSent) return true;
  const { status } = failure;
  return (
    status === GrpcStatus.UNAVAILABLE ||
    status === GrpcStatus.DEADLINE_EXCEEDED ||
    status === GrpcStatus.CANCELLED ||
    status === GrpcStatus.INTERNAL
  );
}

function readHealth(bytes: Uint8Array): ProbeResult {
  try {
    const { status } = decodeMessage(HealthCheckResponse, bytes);
    if (Number(status) === NOT_SERVING) return { alive: false, reason: 'health says NOT_SERVING' };
    return ALIVE;
  } catch (error) {
    return { alive: false, reason: `health check answered garbage: ${messageOf(error)}` };
  }
}
