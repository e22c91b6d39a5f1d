import type { Cancel } from '../../../base/clock.js';
import type { SendResult } from '../../../link/link.js';
import type { Frame } from '../../../wire/frame-encoder.js';
import { FRAME_PREFIX_BYTES, MAX_FRAME_BYTES } from '../../../wire/limits.js';
import { RequestQueueFullError, RequestTooLargeError } from './errors.js';
import type { PendingRequest } from './pending-request.js';
import { encodeBusiness } from './request-frames.js';

export interface RequestLimits {
  /** Requests sent and unanswered; the gateway reads no further beyond 64 by default. */
  readonly maxInFlight: number;
  /** Requests that wait to be sent, or to be sent again after a refusal. */
  readonly maxQueued: number;
  /** Bytes of these. */
  readonly maxQueuedBytes: number;
}

/**
 * The upstream side of a session (docs/SESSIONS.md, "Upstream: requests"): requests wait, get the next
 * number when they are first written, stay until answered, and are written again after a resume
 * with the same seq_id and msg_id. Numbers are never skipped, so a request given up by its caller
 * keeps its place until the gateway is known to have seen it.
 */
export class PendingRequests {
  /** Waiting to be written for the first time, oldest first. */
  private readonly queue = new Set<PendingRequest>();
  /** Refused unexecuted; each waits for its time to be queued again, which Cancel ends. */
  private readonly refused = new Map<PendingRequest, Cancel>();
  /** Bytes of all that wait. */
  private queuedBytes = 0;
  /** Written and unanswered, by number; insertion order is number order. */
  private readonly numbered = new Map<number, PendingRequest>();
  private readonly byMsgId = new Map<number, PendingRequest>();
  private nextSeq = 1;
  /** The next number to write on this connection; below nextSeq while a resume writes again. */
  private cursor = 1;
  /** The gateway has seen every number below this one. */
  private seenBelow = 1;
  /** The number of the last request that was given up and that the gateway has not consumed. */
  private freed = 0;

  constructor(private readonly limits: RequestLimits) {}

  /** Written and unanswered. */
  get inFlight(): number {
    return this.numbered.size;
  }

  /** Waiting to be written, for the first time or under a new number. */
  get queued(): number {
    return this.queue.size + this.refused.size;
  }

  /** @throws {RequestQueueFullError | RequestTooLargeError} and then keeps nothing. */
  add(request: PendingRequest): void {
    const { maxQueued, maxQueuedBytes } = this.limits;
    const bytes = request.payload.length;
    if (bytes > MAX_FRAME_BYTES) throw tooLarge(request, bytes);
    if (this.queued >= maxQueued) {
      throw new RequestQueueFullError(request.action, `${maxQueued} requests`);
    }
    if (this.queuedBytes + bytes > maxQueuedBytes) {
      throw new RequestQueueFullError(request.action, `${this.queuedBytes} bytes of requests`);
    }
    this.queue.add(request);
    this.queuedBytes += bytes;
  }

  /** Writes what may be written now: what a resume asks for first, then new requests up to the limit. */
  pump(send: (frame: Frame) => SendResult): void {
    while (this.cursor < this.nextSeq) {
      const frame = this.numbered.get(this.cursor)?.frame ?? null;
      if (frame !== null && send(frame) !== 'ok') return;
      this.cursor++;
    }
    for (const request of this.queue) {
      if (this.numbered.size >= this.limits.maxInFlight) return;
      if (!this.write(request, send)) return;
      this.dequeue(request);
    }
  }

  /** The request with this msg_id that was written and is unanswered; it stays. */
  find(msgId: number): PendingRequest | undefined {
    return this.byMsgId.get(msgId);
  }

  /** The request has been answered, or will never be: its number is done with. */
  remove(request: PendingRequest): void {
    if (this.numbered.delete(request.seq)) this.byMsgId.delete(request.msgId);
  }

  /** The gateway will not take this request, and its number is the next one's. */
  free(request: PendingRequest): void {
    this.remove(request);
    this.freed = request.seq;
  }

  /**
   * Frees the request, if there is one, by which the gateway broke the last connection off: it was the
   * first that went again over that, and is still the one that the gateway expects.
   * @param nextClientSeq as of `resume`, which follows.
   */
  freeUnreadable(nextClientSeq: number): PendingRequest | null {
    const from = nextClientSeq === 0 ? this.lowestUnanswered() : nextClientSeq;
    const request = this.numbered.get(from);
    if (request === undefined || from !== this.seenBelow || this.cursor <= from) return null;
    this.free(request);
    return request;
  }

  /** The caller has given up: keeps the number only if the gateway may still have to be sent it. */
  abandon(request: PendingRequest): void {
    if (!request.sent) this.dequeue(request);
    else if (request.seq < this.seenBelow) this.remove(request);
  }

  /**
   * Keeps a request that was refused unexecuted and has been removed, until `requeue`. It counts as
   * waiting, though no limit keeps it out: it was let in once.
   * @param cancel what ends the wait, called if the request leaves before `requeue`.
   */
  putOff(request: PendingRequest, cancel: Cancel): void {
    request.seq = 0;
    request.frame = null;
    this.refused.set(request, cancel);
    this.queuedBytes += request.payload.length;
  }

  /** Puts a request that was put off at the end of the queue, under the msg_id it has now. */
  requeue(request: PendingRequest): void {
    if (this.refused.delete(request)) this.queue.add(request);
  }

  /**
   * The session was resumed and the gateway expects this number next; 0: it has seen none.
   * @returns requests that the gateway has lost, to be failed: their numbers do not lead on from there.
   */
  resume(nextClientSeq: number): PendingRequest[] {
    const from = nextClientSeq === 0 ? this.lowestUnanswered() : nextClientSeq;
    let lost: PendingRequest[] = [];
    if (!this.holdsAllFrom(from)) {
      lost = [...this.numbered.values()].filter(({ seq }) => seq >= from);
      this.nextSeq = from;
      if (from === this.freed) {
        this.renumber(lost);
        lost = [];
      }
    }
    for (const request of this.numbered.values()) {
      if (request.seq < from && !request.wanted) this.remove(request);
    }
    for (const request of lost) this.remove(request);
    this.nextSeq = Math.max(this.nextSeq, from);
    this.cursor = this.seenBelow = from;
    this.freed = 0;
    return lost;
  }

  /** A new incarnation: numbers start over. @returns what was written and unanswered, to be failed. */
  restart(): PendingRequest[] {
    const lost = [...this.numbered.values()];
    this.numbered.clear();
    this.byMsgId.clear();
    this.nextSeq = this.cursor = this.seenBelow = 1;
    this.freed = 0;
    return lost;
  }

  /** Takes everything out: the client is closed. */
  drain(): PendingRequest[] {
    const waiting = [...this.queue, ...this.refused.keys()];
    for (const request of waiting) this.dequeue(request);
    return [...this.restart(), ...waiting];
  }

  /** Whether `msgId` is that of a written and unanswered request. */
  uses(msgId: number): boolean {
    return this.byMsgId.has(msgId);
  }

  private write(request: PendingRequest, send: (frame: Frame) => SendResult): boolean {
    const frame = encodeBusiness(request.msgId, this.nextSeq, request.payload, request.headers);
    const bytes = frame.length - FRAME_PREFIX_BYTES;
    if (bytes > MAX_FRAME_BYTES) {
      request.reject(tooLarge(request, bytes));
      return true;
    }
    if (send(frame) !== 'ok') return false;
    request.seq = this.nextSeq++;
    this.cursor = this.nextSeq;
    request.frame = frame;
    this.numbered.set(request.seq, request);
    this.byMsgId.set(request.msgId, request);
    return true;
  }

  /** Puts requests that the gateway has not seen back at the head of the queue. */
  private renumber(requests: readonly PendingRequest[]): void {
    const behind = [...this.queue];
    this.queue.clear();
    for (const request of requests) {
      this.remove(request);
      request.seq = request.misnumbered = 0;
      request.frame = null;
      if (!request.wanted) continue;
      this.queue.add(request);
      this.queuedBytes += request.payload.length;
    }
    for (const request of behind) this.queue.add(request);
  }

  private dequeue(request: PendingRequest): void {
    this.refused.get(request)?.();
    if (this.queue.delete(request) || this.refused.delete(request)) {
      this.queuedBytes -= request.payload.length;
    }
  }

  private lowestUnanswered(): number {
    const [first] = this.numbered.keys();
    return first ?? this.nextSeq;
  }

  private holdsAllFrom(from: number): boolean {
    for (let seq = from; seq < this.nextSeq; seq++) if (!this.numbered.has(seq)) return false;
    return true;
  }
}

function tooLarge({ action }: PendingRequest, bytes: number): RequestTooLargeError {
  return new RequestTooLargeError(
    action,
    `${bytes} bytes, the largest frame is ${MAX_FRAME_BYTES}`,
  );
}
