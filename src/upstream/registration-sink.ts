/** A RegisterUpstream call as it came, nothing checked. */
export interface RegistrationRequest {
  readonly address: string;
  readonly zoneId: string;
  readonly serviceName: string;
  readonly capabilities: readonly string[];
  /** Whom the call came from, as gRPC names it: `127.0.0.1:5000`, `::1:5000`. */
  readonly peer: string;
}

/**
 * error_code of UpstreamRegisterResponse. Deployed upstreams know the first three; ADDRESS_TAKEN (a
 * live instance of another zone has it), ZONE_FULL, NOT_ALLOWED and NOT_PRIMARY (the backup of a pair was
 * asked) say more than REGISTER_FAILED does. With REPLICATION_LAG and JOURNAL_FAILED it is registered, but may be
 * forgotten with this process.
 */
export type RegistrationErrorCode =
  | 'INVALID_ADDRESS'
  | 'INVALID_ZONE_ID'
  | 'REGISTER_FAILED'
  | 'ADDRESS_TAKEN'
  | 'ZONE_FULL'
  | 'NOT_ALLOWED'
  | 'NOT_PRIMARY'
  | 'REPLICATION_LAG'
  | 'JOURNAL_FAILED'
  | 'SHUTTING_DOWN';

/** The answer to a registration; `errorCode` is empty on success. */
export interface RegistrationResult {
  readonly success: boolean;
  readonly message: string;
  readonly errorCode: RegistrationErrorCode | '';
}

/** Where registrations go; routing implements it. */
export interface RegistrationSink {
  /** Whether there is a zone, or a service, of that name. */
  knowsZone(name: string): boolean;
  /** Answers through `done`, exactly once, possibly before it returns. */
  register(request: RegistrationRequest, done: (result: RegistrationResult) => void): void;
}
