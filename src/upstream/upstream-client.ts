import { SystemClock } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { StreamOpener } from '../grpc/message-stream.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { CallFailure, CallHandle, UnaryCaller } from '../grpc/unary-caller.js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  StatusRequest,
  StatusResponse,
  decodeFromUpstream,
  decodeMessage,
  encodeMessage,
} from '../wire/messages.js';
import { Method } from '../wire/grpc-methods.js';
import { ProcessStream } from './process-stream.js';
import type { RequestObserver, StreamedRequest } from './streamed-request.js';

/** How to reach an address; whoever makes an UpstreamClient hands it through. */
export type { CallerFactory } from '../grpc/unary-caller.js';

/** What a probe found: alive, or why not, in one line for logs, and whether its time was up. */
export type ProbeResult =
  | { readonly alive: true }
  | { readonly alive: false; readonly reason: string; readonly expired?: boolean };

const ALIVE: ProbeResult = { alive: true };
const { NOT_SERVING } = HealthCheckResponse.ServingStatus;
/** grpc.health.v1: the empty name asks for the server as a whole. */
const HEALTH_REQUEST = encodeMessage(HealthCheckRequest, { service: '' });

/** What a client tells of the streams to its instance. */
export interface StreamEvents {
  /** It registered with the capability, but does not serve the method. */
  onRefused(reason: string): void;
  /** An answer that nobody waited for. */
  onStray(): void;
}

const NO_EVENTS: StreamEvents = { onRefused: () => undefined, onStray: () => undefined };

/** The gateway's side of one upstream instance. */
export class UpstreamClient {
  /** Whether the instance serves grpc.health.v1; null until it was asked. */
  private servesHealth: boolean | null = null;
  /** Made with the first request that goes over it. */
  private stream: ProcessStream | null = null;
  private streaming = false;

  constructor(
    private readonly caller: UnaryCaller & Partial<StreamOpener>,
    private readonly serviceName: string,
    private readonly clock: Clock = new SystemClock(),
    private readonly events: StreamEvents = NO_EVENTS,
  ) {}

  /** As of UnaryCaller; 0 where the caller does not know. */
  get outage(): number {
    return this.caller.outage ?? 0;
  }

  /** Whether a request that is given to it now waits for a connection; false where the caller does not know. */
  get connecting(): boolean {
    return this.caller.connected === false;
  }

  /** ProcessStream calls that are open. */
  get openStreams(): number {
    return this.stream?.open ?? 0;
  }

  /** Whether the instance said that it serves ProcessStream; until it turns out otherwise. */
  useStream(wanted: boolean): void {
    this.streaming = wanted;
  }

  /**
   * Sends an encoded UpstreamRequest, over ProcessStream where that is served, else ProcessRequest; the
   * observer gets an encoded UpstreamResponse, unchecked (ProcessCall checks it).
   * @param deadline ms from now.
   */
  processRequest(request: Uint8Array, deadline: number, observer: RequestObserver): CallHandle {
    const stream = this.streaming ? this.openStream() : null;
    if (stream !== null) return stream.send(request, deadline, observer);
    return this.caller.call(Method.ProcessRequest, request, deadline, observer);
  }

  /** Asks for the instance's own account of itself. @param done gets it, or how the call failed, or what is wrong with it. */
  getStatus(
    deadline: number,
    done: (status: StatusResponse | null, failure: CallFailure | string | null) => void,
  ): CallHandle {
    const request = encodeMessage(StatusRequest, { serviceName: this.serviceName });
    return this.caller.call(Method.GetStatus, request, deadline, {
      onResponse: (bytes) => {
        let status: StatusResponse;
        try {
          status = decodeFromUpstream(StatusResponse, bytes);
        } catch (error) {
          done(null, `GetStatus answered garbage: ${messageOf(error)}`);
          return;
        }
        done(status, null);
      },
      onFailure: (failure) => done(null, failure),
    });
  }

  /**
   * Asks grpc.health.v1 where it is served, else GetStatus. An instance that serves neither but says
   * so (UNIMPLEMENTED) is alive, and so is one that answers with any status of its own making, INTERNAL
   * too: only silence, UNAVAILABLE, NOT_SERVING and messages that are garbage are signs of death.
   *
   * An instance that takes one call at a time, as one with a single thread does, is silent while a ProcessStream
   * stands: where nothing is under way on it, it is ended and the instance asked once more.
   * @param deadline ms from now, for each question: at most three.
   */
  probe(deadline: number, done: (result: ProbeResult) => void): void {
    this.ask(deadline, (result) => {
      const again = !result.alive && result.expired === true && this.stream?.endIdle() === true;
      if (again) this.ask(deadline, done);
      else done(result);
    });
  }

  /** Forgets what was learnt about the process behind the address, which may be another by now. */
  forget(): void {
    this.servesHealth = null;
  }

  close(): void {
    this.stream?.close();
    this.caller.close();
  }

  private openStream(): ProcessStream | null {
    if (this.stream !== null) return this.stream;
    const { caller } = this;
    if (!opensStreams(caller)) return null;
    this.stream = new ProcessStream(caller, this.clock, {
      onStray: () => this.events.onStray(),
      onRefused: (requests, reason) => this.leaveStream(requests, reason),
    });
    return this.stream;
  }

  /** The upstream serves no streams after all: what it surely did not execute goes the other way. */
  private leaveStream(requests: readonly StreamedRequest[], reason: string): void {
    if (this.streaming) this.events.onRefused(reason);
    this.streaming = false;
    for (const request of requests) {
      const deadline = Math.max(1, request.deadline - this.clock.now());
      request.becomeUnary((observer) =>
        this.caller.call(Method.ProcessRequest, request.bytes, deadline, observer),
      );
    }
  }

  private ask(deadline: number, done: (result: ProbeResult) => void): void {
    if (this.servesHealth === false) this.probeStatus(deadline, done);
    else this.probeHealth(deadline, done);
  }

  private probeHealth(deadline: number, done: (result: ProbeResult) => void): void {
    this.caller.call(Method.HealthCheck, HEALTH_REQUEST, deadline, {
      onResponse: (bytes) => {
        this.servesHealth = true;
        done(readHealth(bytes));
      },
      onFailure: (failure) => {
        if (isSilence(failure)) {
          done(silent(failure));
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
      else if (typeof failure === 'string') done({ alive: false, reason: failure });
      else if (isSilence(failure)) done(silent(failure));
      else done(ALIVE);
    });
  }
}

/** Nobody answered. */
function isSilence(failure: CallFailure): boolean {
  if (failure.neverSent) return true;
  const { status } = failure;
  return (
    status === GrpcStatus.UNAVAILABLE ||
    status === GrpcStatus.DEADLINE_EXCEEDED ||
    status === GrpcStatus.CANCELLED
  );
}

function silent({ message, status }: CallFailure): ProbeResult {
  return { alive: false, reason: message, expired: status === GrpcStatus.DEADLINE_EXCEEDED };
}

function readHealth(bytes: Uint8Array): ProbeResult {
  try {
    const { status } = decodeMessage(HealthCheckResponse, bytes);
    if (status === NOT_SERVING) return { alive: false, reason: 'health says NOT_SERVING' };
    return ALIVE;
  } catch (error) {
    return { alive: false, reason: `health check answered garbage: ${messageOf(error)}` };
  }
}

function opensStreams(
  caller: UnaryCaller & Partial<StreamOpener>,
): caller is UnaryCaller & StreamOpener {
  return caller.open !== undefined;
}
