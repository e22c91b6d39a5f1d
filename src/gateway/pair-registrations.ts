import type { ServingGate } from '../session/serving-gate.js';
import { notPrimaryReason } from '../session/serving-gate.js';
import type {
  DeregistrationRequest,
  DeregistrationResult,
  DeregistrationSink,
} from '../upstream/deregistration.js';
import type {
  RegistrationRequest,
  RegistrationResult,
  RegistrationSink,
} from '../upstream/registration-sink.js';

interface NotPrimary {
  readonly success: false;
  readonly message: string;
  readonly errorCode: 'NOT_PRIMARY';
}

/** Takes registrations only while this gateway of a pair serves. */
export class PairRegistrations implements RegistrationSink, DeregistrationSink {
  constructor(
    private readonly router: RegistrationSink & DeregistrationSink,
    private readonly serving: ServingGate,
  ) {}

  knowsZone(name: string): boolean {
    return this.router.knowsZone(name);
  }

  register(request: RegistrationRequest, done: (result: RegistrationResult) => void): void {
    if (!this.serving.accepts) return done(this.notPrimary());
    this.router.register(request, (result) => done(this.inTime(result)));
  }

  deregister(request: DeregistrationRequest, done: (result: DeregistrationResult) => void): void {
    if (!this.serving.accepts) return done(this.notPrimary());
    this.router.deregister(request, (result) => done(this.inTime(result)));
  }

  /** What took its time may have come to pass here only, after the other one took over. */
  private inTime<Result extends RegistrationResult | DeregistrationResult>(
    result: Result,
  ): Result | NotPrimary {
    return result.success && !this.serving.serves ? this.notPrimary() : result;
  }

  private notPrimary(): NotPrimary {
    return { success: false, message: notPrimaryReason(this.serving), errorCode: 'NOT_PRIMARY' };
  }
}
