import { pushBodyOf } from '../wire/frame-encoder.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { OfferedPush } from '../wire/messages.js';
import type { StateRecord } from '../wire/messages.js';
import { digestOf } from '../session/idempotency-keys.js';

/** What only one gateway holds. */
export interface Unshared {
  readonly pushes: OfferedPush[];
  /** Pushes that wait for a login or an answer: it is not known whether the other one has them. */
  readonly untold: number;
}

type Keys = Map<string, { key: string; digest: string; ttl: number }>;

/**
 * The pushes that a deposed primary accepted, and that are not acknowledged, from the entry on at which its
 * history was left.
 * @param former everything that it holds, as a snapshot.
 * @param present the history that takes the place; what it holds too is not counted.
 * @param from position of the first entry that the present history does not have.
 */
export function unsharedPushes(
  former: Iterable<StateRecord>,
  present: Iterable<StateRecord>,
  from: number,
): Unshared {
  const records = [...former];
  const held = new Held(present);
  const keys: Keys = new Map();
  for (const { key } of records) {
    const { key: name, digest, ttl } = key ?? {};
    if (name && digest) keys.set(digest, { key: name, digest, ttl: ttl ?? 0 });
  }
  const pushes: OfferedPush[] = [];
  let untold = 0;
  const offer = (openid: string, sessionId: string, body: PushBody): void => {
    if (held.takes(openid, body)) return;
    const key = keyOf(keys, openid, sessionId, body);
    pushes.push(new OfferedPush({ openid, body, ...(key === undefined ? {} : { key }) }));
  };
  for (const { session, offlinePush } of records) {
    for (const { clientSeq, frame, position } of session?.outbox ?? []) {
      if (clientSeq || !frame || (position ?? 0) < from) continue;
      offer(session?.openid ?? '', session?.id ?? '', Buffer.from(pushBodyOf(Buffer.from(frame))));
    }
    const { openid, body, position } = offlinePush ?? {};
    if (body && (position ?? 0) >= from) offer(openid ?? '', '', Buffer.from(body));
    for (const waiting of waitingOf(session)) {
      if (!held.takes(session?.openid ?? '', waiting)) untold++;
    }
  }
  return { pushes, untold };
}

/** The pushes that a history holds, by openid and content. */
class Held {
  private readonly counts = new Map<string, number>();

  constructor(records: Iterable<StateRecord>) {
    for (const { session, offlinePush } of records) {
      for (const { clientSeq, frame } of session?.outbox ?? []) {
        if (!clientSeq && frame) this.add(session?.openid, pushBodyOf(Buffer.from(frame)));
      }
      for (const body of waitingOf(session)) this.add(session?.openid, body);
      if (offlinePush?.body) this.add(offlinePush.openid, offlinePush.body);
    }
  }

  /** Whether it holds it; each one answers for one. */
  takes(openid: string, body: Uint8Array): boolean {
    const name = digestOf(openid, '', body);
    const count = this.counts.get(name) ?? 0;
    if (count > 0) this.counts.set(name, count - 1);
    return count > 0;
  }

  private add(openid: string | null | undefined, body: Uint8Array): void {
    const name = digestOf(openid ?? '', '', body);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

function waitingOf(session: StateRecord['session']): Uint8Array[] {
  const after = (session?.unanswered ?? []).flatMap((request) => request.after ?? []);
  return [...(session?.held ?? []), ...after];
}

/** The key that the push was made with, where it was bound to nothing: its digest tells. */
function keyOf(keys: Keys, openid: string, sessionId: string, body: Uint8Array) {
  const order = '0/0';
  return (
    keys.get(digestOf(`openid:${openid}`, order, body)) ??
    keys.get(digestOf(`session:${sessionId}`, order, body))
  );
}
