/** What a START offers as proof. The token must never reach a log, a metric or an error message. */
export interface Credentials {
  readonly openid: string;
  readonly token: string;
  readonly remoteAddress: string;
}

export type Verdict =
  | {
      readonly ok: true;
      /** Until when the proof holds, ms since 1970; null: for ever. */
      readonly expiresAt: number | null;
    }
  | { readonly ok: false; readonly reason: string };

/** Decides whether a START may act for its openid. */
export interface Authenticator {
  /**
   * Answers through `done`, exactly once, at once or later. `reason` of a refusal goes to the client:
   * it stays general.
   */
  verify(credentials: Credentials, done: (verdict: Verdict) => void): void;
}

const ACCEPTED: Verdict = { ok: true, expiresAt: null };

/** Accepts every token: for deployments whose upstream proves identity, or networks that are trusted. */
export class AcceptingAuthenticator implements Authenticator {
  verify(_credentials: Credentials, done: (verdict: Verdict) => void): void {
    done(ACCEPTED);
  }
}
