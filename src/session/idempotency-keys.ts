import { createHash } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { PushKey } from '../journal/journal-writer.js';
import { MAX_KEYS } from '../journal/limits.js';

/** How long a key is remembered: longer than any sensible retry of an upstream, ms. */
export const KEY_LIFETIME_MS = 10 * 60 * 1000;

interface KeyEntry {
  readonly digest: string;
  readonly plainDigest: string;
  /** Monotonic ms. */
  readonly expiresAt: number;
}

/** What is known of a key: never seen, seen with the same content, or with other content. */
export type KeyVerdict = 'new' | 'repeat' | 'conflict';

/**
 * Remembers which pushes succeeded (docs/SESSIONS.md, "Pushes": only success is kept), so that an upstream
 * that repeats one after a lost answer does not deliver it twice.
 */
export class IdempotencyKeys {
  /** In order of arrival, which is the order of expiry. */
  private readonly entries = new Map<string, KeyEntry>();

  constructor(
    private readonly clock: Clock,
    private readonly capacity: number = MAX_KEYS,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  judge(key: string, digest: string): KeyVerdict {
    this.dropExpired();
    const entry = this.entries.get(key);
    if (entry === undefined) return 'new';
    return entry.digest === digest ? 'repeat' : 'conflict';
  }

  /** @param plainDigest see PushKey. */
  remember(key: string, digest: string, lifetime = KEY_LIFETIME_MS, plainDigest = ''): void {
    this.entries.set(key, { digest, plainDigest, expiresAt: this.clock.now() + lifetime });
    if (this.entries.size > this.capacity) this.dropOldest();
  }

  clear(): void {
    this.entries.clear();
  }

  /** All keys with the ms they have left from `now` on, for a snapshot. */
  *snapshot(now: number): IterableIterator<PushKey> {
    for (const [key, { digest, plainDigest, expiresAt }] of this.entries) {
      const ttl = expiresAt - now;
      if (ttl > 0) yield { key, digest, plainDigest, ttl };
    }
  }

  private dropExpired(): void {
    const now = this.clock.now();
    for (const [key, entry] of this.entries) {
      if (entry.expiresAt > now) return;
      this.entries.delete(key);
    }
  }

  private dropOldest(): void {
    for (const key of this.entries.keys()) {
      this.entries.delete(key);
      return;
    }
  }
}

/** A digest of everything that makes two pushes the same: target, order and body. */
export function digestOf(target: string, order: string, body: Uint8Array): string {
  return createHash('sha256')
    .update(`${target.length}:${target}${order}:`)
    .update(body)
    .digest('base64');
}

/** The digest of a push to an openid that is bound to nothing. */
export function plainDigestOf(openid: string, body: Uint8Array): string {
  return digestOf(`openid:${openid}`, '0/0', body);
}
