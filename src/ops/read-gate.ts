import type { AdminGate, AskedBy } from './admin-gate.js';
import { BearerToken } from './bearer-token.js';

/** Decides who may look. Without a token: everyone. With one: whoever brings it, and admins. */
export class ReadGate {
  private readonly token: BearerToken | null;

  /** @param token ops.read_token, null where there is none. */
  constructor(
    token: string | null,
    private readonly admins: AdminGate,
  ) {
    this.token = token === null ? null : new BearerToken(token);
  }

  /** @returns null when it may, else what the caller should be told to do. */
  refusal(asked: AskedBy): string | null {
    if (this.token === null || this.token.isIn(asked.headers)) return null;
    if (this.admins.refusal(asked) === null) return null;
    return 'give ops.read_token as Authorization: Bearer TOKEN';
  }
}
