import type { Clock } from '../base/clock.js';
import { RingQueue } from '../base/ring-queue.js';
import type { TimerWheel, WheelTimer } from '../base/timer-wheel.js';
import type { JournalWriter, PushKey } from '../journal/journal-writer.js';
import { positionWithin } from '../journal/position-within.js';
import type { Tally } from '../telemetry/tally.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { PUSH_SHARE } from './options.js';
import { FRAME_COST_BYTES, OPENID_COST_BYTES } from './push-cost.js';
import type { StateRecord } from '../wire/messages.js';

export interface OfflineLimits {
  /** How long a push waits, ms; 0: not at all. */
  readonly offlineTtl: number;
  /** Per openid. */
  readonly offlineMaxFrames: number;
  /** All openids together: pushes for clients that never come must not fill the memory. */
  readonly offlineMaxBytes: number;
  /** Per openid: what waits must fit into the outbox of the session that takes it, and leave room for answers there. */
  readonly outboxMaxBytes: number;
}

interface WaitingPush {
  readonly body: PushBody;
  /** Monotonic ms. */
  readonly expiresAt: number;
  /** Of its entry in the journal; 0 where there is none. */
  readonly position: number;
  /** It waited in a session before: an earlier entry of the journal told of it first. */
  readonly moved: boolean;
}

/** As a snapshot keeps it (proto/state.proto). */
type StoredPush = NonNullable<StateRecord['offlinePush']> & { readonly body: PushBody };

/** Pushes accepted for an openid that has no session (docs/SESSIONS.md, "Pushes"), until it starts one. */
export class OfflineQueues {
  private readonly queues = new Map<string, OfflineQueue>();
  /** With what keeping them costs. */
  private totalBytes = 0;

  constructor(
    private readonly limits: OfflineLimits,
    private readonly clock: Clock,
    private readonly wheel: TimerWheel,
    private readonly expired: Tally,
    private readonly journal: JournalWriter | null = null,
  ) {}

  get enabled(): boolean {
    return this.limits.offlineTtl > 0;
  }

  /** Openids with waiting pushes. */
  get size(): number {
    return this.queues.size;
  }

  /** Keeps one push for `offlineTtl`; false when the openid's queue or all of them are full. */
  add(openid: string, body: PushBody, key: PushKey | null = null): boolean {
    const queue = this.queues.get(openid);
    if (!this.admits(queue, body.length) || !this.hasRoom(queue, body.length)) return false;
    this.enter(openid, body, key, false);
    return true;
  }

  /**
   * Takes back what a former process or the former primary had accepted, as the journal knows already: no
   * limit drops it.
   */
  restore({ openid, body, ttl, position, moved }: StoredPush): void {
    this.keep(openid ?? '', {
      body,
      expiresAt: this.clock.now() + (ttl ?? 0),
      position: positionWithin(this.journal, position),
      moved: moved ?? false,
    });
  }

  /**
   * Keeps what an ended session leaves. It was accepted under the limits of an outbox, which are those of the session
   * that will take it: only the memory for all openids bounds it, and what finds no room there counts as expired.
   */
  addAll(openid: string, bodies: readonly PushBody[]): void {
    for (const body of bodies) {
      if (this.enabled && this.hasRoom(this.queues.get(openid), body.length)) {
        this.enter(openid, body, null, true);
      } else this.expired.add();
    }
  }

  /** Takes everything that waits for an openid and has not expired, in order. */
  take(openid: string): PushBody[] {
    const queue = this.queues.get(openid);
    if (queue === undefined) return [];
    this.dropExpired(openid, queue);
    const bodies = Array.from(queue.pushes, (push) => push.body);
    this.remove(openid, queue);
    if (bodies.length > 0) this.journal?.offlineRemoved(openid, bodies.length);
    return bodies;
  }

  /**
   * Everything that waits, with the ms it has left from `now` on, for a snapshot; the first of an openid tells how
   * many of it come. Those of one openid are as they are when its first is read, also where more come
   * before the reader goes on. What has just run out is among them: it goes with the timer, and is told then.
   */
  *entries(now: number): IterableIterator<{
    openid: string;
    body: PushBody;
    ttl: number;
    waiting: number;
    position: number;
    moved: boolean;
  }> {
    for (const [openid, queue] of this.queues) {
      const pushes = [...queue.pushes];
      let waiting = pushes.length;
      for (const { body, expiresAt, position, moved } of pushes) {
        const ttl = Math.max(1, Math.ceil(expiresAt - now));
        yield { openid, body, ttl, waiting, position, moved };
        waiting = 0;
      }
    }
  }

  /** Forgets everything, as if it had never come. */
  clear(): void {
    for (const { timer } of this.queues.values()) timer.disarm();
    this.queues.clear();
    this.totalBytes = 0;
  }

  /** Whether the openid's own limits let one more in. */
  private admits(queue: OfflineQueue | undefined, bytes: number): boolean {
    const { offlineMaxFrames, outboxMaxBytes } = this.limits;
    if ((queue?.pushes.length ?? 0) >= offlineMaxFrames) return false;
    return (queue?.bytes ?? 0) + bytes <= outboxMaxBytes * PUSH_SHARE;
  }

  /** Whether the memory for all openids has room. */
  private hasRoom(queue: OfflineQueue | undefined, bytes: number): boolean {
    const opening = queue === undefined ? OPENID_COST_BYTES : 0;
    return this.totalBytes + opening + FRAME_COST_BYTES + bytes <= this.limits.offlineMaxBytes;
  }

  /** @param moved an earlier entry of the journal told of it first. */
  private enter(openid: string, body: PushBody, key: PushKey | null, moved: boolean): void {
    const ttl = this.limits.offlineTtl;
    const position = this.journal?.offlineAdded(openid, body, ttl, key, moved) ?? 0;
    this.keep(openid, { body, expiresAt: this.clock.now() + ttl, position, moved });
  }

  private keep(openid: string, push: WaitingPush): void {
    const queue = this.queues.get(openid) ?? this.open(openid);
    queue.pushes.push(push);
    queue.bytes += push.body.length;
    this.totalBytes += FRAME_COST_BYTES + push.body.length;
    if (!queue.timer.armed) queue.timer.arm(push.expiresAt - this.clock.now());
  }

  private open(openid: string): OfflineQueue {
    this.totalBytes += OPENID_COST_BYTES;
    const queue: OfflineQueue = {
      pushes: new RingQueue(),
      bytes: 0,
      timer: this.wheel.timer(() => this.onTimer(openid, queue)),
    };
    this.queues.set(openid, queue);
    return queue;
  }

  private onTimer(openid: string, queue: OfflineQueue): void {
    this.dropExpired(openid, queue);
    const oldest = queue.pushes.at(0);
    if (oldest === undefined) this.remove(openid, queue);
    else queue.timer.arm(oldest.expiresAt - this.clock.now());
  }

  private dropExpired(openid: string, queue: OfflineQueue): void {
    const now = this.clock.now();
    let dropped = 0;
    for (let oldest = queue.pushes.at(0); oldest !== undefined; oldest = queue.pushes.at(0)) {
      if (oldest.expiresAt > now) break;
      queue.pushes.shift();
      queue.bytes -= oldest.body.length;
      this.totalBytes -= FRAME_COST_BYTES + oldest.body.length;
      dropped++;
    }
    if (dropped === 0) return;
    this.expired.add(dropped);
    this.journal?.offlineRemoved(openid, dropped);
  }

  private remove(openid: string, queue: OfflineQueue): void {
    queue.timer.disarm();
    this.totalBytes -= OPENID_COST_BYTES + queue.pushes.length * FRAME_COST_BYTES + queue.bytes;
    this.queues.delete(openid);
  }
}

interface OfflineQueue {
  readonly pushes: RingQueue<WaitingPush>;
  bytes: number;
  readonly timer: WheelTimer;
}
