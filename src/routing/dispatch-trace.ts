import type { FailureKind } from '../upstream/process-call.js';

/**
 * Hears how one request fares between the session and its upstream. A request that nobody asks about has
 * none: then each stage compares one field with null. None of the methods may throw.
 */
export interface DispatchTrace {
  /** It is handed to an instance; again where an attempt failed unsent. @param zone or service. */
  onSent(address: string, zone: string): void;
  /** The last attempt failed. @param reason for operators, never for the client. */
  onAttemptFailed(kind: FailureKind, reason: string): void;
}
