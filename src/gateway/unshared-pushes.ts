import type { Fork } from '../journal/promotions.js';
import { pushBodyOf } from '../wire/frame-encoder.js';
import { OfferedPush } from '../wire/messages.js';
import type { StateRecord } from '../wire/messages.js';
import { digestOf, plainDigestOf } from '../session/idempotency-keys.js';

/** What only one gateway holds. */
export interface Unshared {
  readonly pushes: OfferedPush[];
  /** Pushes without a key of which it is not known whether the other one had them, and those that wait for a login or an answer. */
  readonly untold: number;
}

type Key = NonNullable<StateRecord['key']>;

/** A push that its client has not acknowledged. */
interface Pending {
  readonly openid: string;
  /** Of the session that holds it, empty where it waits offline. */
  readonly sessionId: string;
  readonly body: Uint8Array;
  /** Of the entry that tells of it; 0: not known. */
  readonly position: number;
  /** An earlier entry told of it first, perhaps one before the fork. */
  readonly moved: boolean;
}

/**
 * The pushes that a deposed primary accepted, that are not acknowledged, and that the new primary never had.
 * One that it may have delivered is offered with its key, which tells the new primary, or not at all:
 * without one it could reach its client twice.
 * @param former everything that it holds, as a snapshot.
 * @param present the history that takes the place; what it holds too is not counted.
 * @param fork where the two part.
 */
export function unsharedPushes(
  former: Iterable<StateRecord>,
  present: Iterable<StateRecord>,
  fork: Fork,
): Unshared {
  const records = [...former];
  const held = new Held(present);
  const pending = records.flatMap(pendingOf);
  const isShared = ({ position }: Pending): boolean => position > 0 && position < fork.position;
  // One of the same content that came later is not what the present history holds.
  for (const { openid, body } of pending.filter(isShared)) held.takes(openid, body);
  const lacking = pending.filter((push) => {
    return !isShared(push) && !held.takes(push.openid, push.body);
  });
  const keys = new Keys(records);
  const pushes: OfferedPush[] = [];
  let untold = 0;
  // Backwards: of two keys for the same content the older one's push may be acknowledged.
  for (const { openid, sessionId, body, position, moved } of lacking.reverse()) {
    const key = keys.take(openid, sessionId, body);
    if (key !== undefined) pushes.push(new OfferedPush({ openid, body, key }));
    else if (fork.sure && position > 0 && !moved) pushes.push(new OfferedPush({ openid, body }));
    else untold++;
  }
  for (const { session } of records) {
    for (const body of waitingOf(session)) if (!held.takes(session?.openid ?? '', body)) untold++;
  }
  return { pushes: pushes.reverse(), untold };
}

function pendingOf({ session, offlinePush }: StateRecord): Pending[] {
  const pending: Pending[] = [];
  const openid = session?.openid ?? '';
  for (const { clientSeq, frame, position, moved } of session?.outbox ?? []) {
    if (clientSeq || !frame) continue;
    const body = Buffer.from(pushBodyOf(Buffer.from(frame)));
    pending.push({
      openid,
      sessionId: session?.id ?? '',
      body,
      position: position ?? 0,
      moved: moved ?? false,
    });
  }
  if (offlinePush?.body) {
    pending.push({
      openid: offlinePush.openid ?? '',
      sessionId: '',
      body: Buffer.from(offlinePush.body),
      position: offlinePush.position ?? 0,
      moved: offlinePush.moved ?? false,
    });
  }
  return pending;
}

/** The pushes that a history holds, by openid and content. */
class Held {
  private readonly counts = new Map<string, number>();

  constructor(records: Iterable<StateRecord>) {
    for (const record of records) {
      for (const { openid, body } of pendingOf(record)) this.add(openid, body);
      const { session } = record;
      for (const body of waitingOf(session)) this.add(session?.openid ?? '', body);
    }
  }

  /** Whether it holds it; each one answers for one. */
  takes(openid: string, body: Uint8Array): boolean {
    const name = digestOf(openid, '', body);
    const count = this.counts.get(name) ?? 0;
    if (count > 0) this.counts.set(name, count - 1);
    return count > 0;
  }

  private add(openid: string, body: Uint8Array): void {
    const name = digestOf(openid, '', body);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

/** The keys that pushes were made with, found by what they would have been bound to nothing. */
class Keys {
  private readonly byDigest = new Map<string, Key[]>();

  constructor(records: Iterable<StateRecord>) {
    for (const { key } of records) {
      if (!key?.key || !key.digest) continue;
      const digest = key.plainDigest || key.digest;
      const same = this.byDigest.get(digest);
      if (same === undefined) this.byDigest.set(digest, [key]);
      else same.push(key);
    }
  }

  /** The newest one of that content; each answers for one push. */
  take(openid: string, sessionId: string, body: Uint8Array): Key | undefined {
    return (
      this.byDigest.get(plainDigestOf(openid, body))?.pop() ??
      // Of an older version, which wrote no plain digest.
      this.byDigest.get(digestOf(`session:${sessionId}`, '0/0', body))?.pop()
    );
  }
}

function waitingOf(session: StateRecord['session']): Uint8Array[] {
  const after = (session?.unanswered ?? []).flatMap((request) => request.after ?? []);
  return [...(session?.held ?? []), ...after];
}
