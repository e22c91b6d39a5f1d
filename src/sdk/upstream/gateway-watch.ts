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
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Pauses differ by up to so much, so that upstreams do not return to a gateway all at once. */
const JITTER = 0.3;

/**
 * Notices that a gateway was gone and is back, by grpc.health.v1 Watch: it may have forgotten who is
 * registered. A gateway that does not serve it is left alone.
 */
export class GatewayWatch implements StreamObserver {
  private stream: ClientStream | null = null;
  /** It was away, or not serving, since it was last seen to serve. */
  private lost = false;
  private attempts = 0;
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
    this.attempts = 0;
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
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.attempts++, 10));
    const jittered = pause * (1 + (Math.random() * 2 - 1) * JITTER);
    this.cancelPause = this.clock.after(jittered, () => {
      this.cancelPause = null;
      this.start();
    });
  }
}
