import { createHash, timingSafeEqual } from 'node:crypto';

/** What a caller without the secret is told. */
export const UNAUTHENTICATED_DETAILS = 'metadata authorization: Bearer SECRET is missing or wrong';

/** Checks the shared secret that callers give as metadata `authorization: Bearer SECRET`. */
export class CallGuard {
  private readonly wanted: Buffer;

  constructor(secret: string) {
    this.wanted = digest(`Bearer ${secret}`);
  }

  /** In a time that does not depend on how much of it is right. @param given the metadata's value. */
  admits(given: unknown): boolean {
    return typeof given === 'string' && timingSafeEqual(digest(given), this.wanted);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
