import { NumberMap } from '../base/number-map.js';
import type { RequestKey } from '../wire/process-batch.js';

/** A request that a book has an entry for. */
export interface BookedRequest {
  readonly observer: RequestKey;
  /** Owned by the book: when it was entered, and the next one whose key has the same hash. */
  entered: number;
  nextAlike: BookedRequest | null;
}

/**
 * The requests under way on one stream, by session and number. Not in a Map of texts: V8 keeps what was in one until a
 * full collection (NumberMap says why), and every key would be a text of its own.
 */
export class RequestBook<Request extends BookedRequest> {
  private readonly byHash = new NumberMap<Request>();
  private entries = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** @returns false where one of this session and number is there already, which stays. */
  add(request: Request): boolean {
    const { sessionId, clientSeqId } = request.observer;
    const hash = hashOf(sessionId, clientSeqId);
    const first = this.byHash.get(hash) ?? null;
    for (let other: BookedRequest | null = first; other !== null; other = other.nextAlike) {
      if (isOf(other, sessionId, clientSeqId)) return false;
    }
    request.entered = ++this.entries;
    request.nextAlike = first;
    this.byHash.set(hash, request);
    this.count++;
    return true;
  }

  /** Takes a request out, or returns null where there is none. */
  take(sessionId: string, clientSeqId: number): Request | null {
    const hash = hashOf(sessionId, clientSeqId);
    let before: BookedRequest | null = null;
    let found: BookedRequest | null = this.byHash.get(hash) ?? null;
    while (found !== null && !isOf(found, sessionId, clientSeqId)) {
      before = found;
      found = found.nextAlike;
    }
    if (found === null) return null;
    if (before !== null) before.nextAlike = found.nextAlike;
    else if (found.nextAlike !== null) this.byHash.set(hash, found.nextAlike as Request);
    else this.byHash.delete(hash);
    found.nextAlike = null;
    this.count--;
    return found as Request;
  }

  /** Takes all of them out, in the order in which they were entered. */
  takeAll(): Request[] {
    const all: Request[] = [];
    for (const first of this.byHash.values()) {
      for (let one: BookedRequest | null = first; one !== null; one = one.nextAlike) {
        all.push(one as Request);
      }
    }
    for (const { observer } of all) this.take(observer.sessionId, observer.clientSeqId);
    return all.sort((one, other) => one.entered - other.entered);
  }
}

function isOf({ observer }: BookedRequest, sessionId: string, clientSeqId: number): boolean {
  return observer.clientSeqId === clientSeqId && observer.sessionId === sessionId;
}

/** FNV-1a over the number and the text. */
function hashOf(sessionId: string, clientSeqId: number): number {
  let hash = Math.imul(0x811c9dc5 ^ clientSeqId, 0x01000193);
  for (let at = 0; at < sessionId.length; at++) {
    hash = Math.imul(hash ^ sessionId.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
