/**
 * An error whose `code` is stable and meant to be matched by callers; the message is one line that
 * says what was wrong, where, and what to do.
 */
export class CodedError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CodedError';
  }
}

/** Something the operator must mend before the process can start; the CLI prints it and exits with 1. */
export class StartupError extends CodedError {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'StartupError';
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
