import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A token that callers bring in the Authorization header (RFC 6750), never in a URL. */
export class BearerToken {
  private readonly digest: Buffer;

  constructor(token: string) {
    this.digest = digestOf(token);
  }

  /** Whether these headers bring it; takes as long whatever they bring instead. */
  isIn(headers: IncomingHttpHeaders): boolean {
    const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    return given !== undefined && timingSafeEqual(digestOf(given), this.digest);
  }
}

/** Digests are equally long, so that comparing them tells nothing about the length of the token. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
