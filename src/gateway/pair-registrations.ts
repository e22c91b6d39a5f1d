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
    if (this.serving.accepts) return this.router.register(request, done);
    done({ success: false, message: notPrimaryReason(this.serving), errorCode: 'NOT_PRIMARY' });
  }

  deregister(request: DeregistrationRequest): DeregistrationResult {
    if (this.serving.accepts) return this.router.deregister(request);
    return { success: false, message: notPrimaryReason(this.serving), errorCode: 'NOT_PRIMARY' };
  }
}
