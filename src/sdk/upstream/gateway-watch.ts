import { Backoff } from '../../base/backoff.js';
import type { Cancel, Clock } from '../../base/clock.js';
import type {
  ClientStream,
  StreamEnd,
  StreamObserver,
  StreamOpener,
} from '../../grpc/message-stream.js';
import { GrpcStatus } from '../../grpc/unary-caller.js';
import { Method } from '../../wire/grpc-methods.js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';

const { SERVING } = HealthCheckResponse.ServingStatus;
const PAUSES = { firstMs: 200, longestMs: 5_000, jitter: 0.3 };

/**
 * Notices that a gateway was gone and is back, by grpc.health.v1 Watch: it may have forgotten who is
 * registered. A gateway that does not serve it is left alone.
 */
export class GatewayWatch implements StreamObserver {
  private stream: ClientStream | null = null;
  /** It was away, or not serving, since it was last seen to serve. */
  private lost = false;
  private readonly backoff = new Backoff(PAUSES);
  private stopped = false;
  private cancelPause: Cancel | null = null;

  /** @param onReturned the gateway serves again. */
  constructor(
    private readonly opener: StreamOpener,
    private readonly clock: Clock,
    private readonly onReturned: () => void,
  ) {}

  /** Idempotent while it watches. */
  start(): void {
    if (this.stopped || this.stream !== null || this.cancelPause !== null) return;
    this.stream = this.opener.open(Method.HealthWatch, this);
    this.stream.write(encodeMessage(HealthCheckRequest, { service: '' }));
  }

  stop(): void {
    this.stopped = true;
    this.cancelPause?.();
    this.stream?.cancel();
  }

  onMessage(bytes: Uint8Array): void {
    if (this.stopped) return;
    let serving: boolean;
    try {
      serving = decodeMessage(HealthCheckResponse, bytes).status === SERVING;
    } catch {
      return;
    }
    this.backoff.reset();
    if (!serving) this.lost = true;
    else if (this.lost) {
      this.lost = false;
      this.onReturned();
    }
  }

  onClosed({ status }: StreamEnd): void {
    this.stream = null;
    if (this.stopped || status === GrpcStatus.UNIMPLEMENTED) return;
    this.lost = true;
    this.cancelPause = this.clock.after(this.backoff.next(), () => {
      this.cancelPause = null;
      this.start();
    });
  }
}
