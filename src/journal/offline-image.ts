import { RingQueue } from '../base/ring-queue.js';
import type { StateRecord } from '../wire/messages.js';

type OfflinePush = NonNullable<StateRecord['offlinePush']>;

interface ImagePush {
  readonly body: Uint8Array;
  /** Milliseconds since 1970, by the journal's own time. */
  readonly expiresAt: number;
  readonly position: number;
  readonly moved: boolean;
}

/** The pushes that wait for openids without a session, as the journal tells of them. */
export class OfflineImage {
  private readonly queues = new Map<string, RingQueue<ImagePush>>();

  clear(): void {
    this.queues.clear();
  }

  /** Of a snapshot; the first of an openid replaces what was known. */
  set({ openid, body, ttl, waiting, position, moved }: OfflinePush, now: number): void {
    if (waiting) this.queues.delete(openid ?? '');
    const expiresAt = now + (ttl ?? 0);
    if (body) this.add(openid ?? '', body, expiresAt, position ?? 0, moved ?? false);
  }

  /**
   * @param position of the entry that tells of it.
   * @param moved an earlier one told of it first.
   */
  add(openid: string, body: Uint8Array, expiresAt: number, position: number, moved: boolean): void {
    let queue = this.queues.get(openid);
    if (queue === undefined) this.queues.set(openid, (queue = new RingQueue()));
    queue.push({ body: Buffer.from(body), expiresAt, position, moved });
  }

  /** Forgets the oldest `count` of an openid. */
  remove(openid: string, count: number): void {
    const queue = this.queues.get(openid);
    if (queue === undefined) return;
    for (let left = count; left > 0 && queue.length > 0; left--) queue.shift();
    if (queue.length === 0) this.queues.delete(openid);
  }

  /** For a snapshot, which may go on while more come. What has no time left stays a moment: only the journal removes. */
  *records(now: number): IterableIterator<OfflinePush> {
    for (const [openid, queue] of this.queues) {
      const pushes = [...queue];
      let waiting = pushes.length;
      for (const { body, expiresAt, position, moved } of pushes) {
        yield { openid, body, ttl: Math.max(1, expiresAt - now), waiting, position, moved };
        waiting = 0;
      }
    }
  }
}
