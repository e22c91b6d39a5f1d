import type { PushErrorCode, PushResult, PushSink } from '../../src/upstream/push-sink.js';
import type {
  RegistrationRequest,
  RegistrationResult,
  RegistrationSink,
} from '../../src/upstream/registration-sink.js';
import { BroadcastRequest, UnicastPushRequest } from '../../src/wire/messages.js';

/** Keeps every push and answers as the test says. */
export class RecordingPushSink implements PushSink {
  readonly pushes: UnicastPushRequest[] = [];
  readonly broadcasts: BroadcastRequest[] = [];
  readonly refusals: string[] = [];
  result: PushResult = { success: true, message: 'queued', errorCode: '' };
  /** Thrown instead of an answer. */
  error: Error | null = null;

  push(request: UnicastPushRequest, done: (result: PushResult) => void): void {
    if (this.error !== null) throw this.error;
    this.pushes.push(UnicastPushRequest.create({ ...request, data: Buffer.from(request.data) }));
    done(this.result);
  }

  refused(code: PushErrorCode): void {
    this.refusals.push(code);
  }

  broadcast(request: BroadcastRequest, done: (sentCount: number, message: string) => void): void {
    if (this.error !== null) throw this.error;
    this.broadcasts.push(BroadcastRequest.create({ ...request, data: Buffer.from(request.data) }));
    done(7, 'sent');
  }
}

/** Keeps every registration and answers as the test says. */
export class RecordingRegistrationSink implements RegistrationSink {
  readonly requests: RegistrationRequest[] = [];
  result: RegistrationResult = { success: true, message: 'registered', errorCode: '' };
  error: Error | null = null;

  knowsZone(name: string): boolean {
    return /^00[1-6]$/.test(name);
  }

  register(request: RegistrationRequest, done: (result: RegistrationResult) => void): void {
    if (this.error !== null) throw this.error;
    this.requests.push(request);
    done(this.result);
    done(this.result);
  }
}
