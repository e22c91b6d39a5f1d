import { STATE_VERSION } from '../journal/journal-image.js';
import type { Router } from '../routing/router.js';
import { SessionState, StateRecord } from '../wire/messages.js';
import type { IdempotencyKeys } from './idempotency-keys.js';
import { askAgain } from './kept-request.js';
import { jumpAbove } from './number-jump.js';
import type { Parity } from './number-jump.js';
import type { OfflineQueues } from './offline-queues.js';
import type { Session } from './session.js';
import type { SessionEnvironment } from './session-environment.js';
import type { SessionRegistry } from './session-registry.js';
import { restoreSession, snapshotSession } from './session-state.js';

interface ArchiveParts {
  readonly registry: SessionRegistry;
  readonly offline: OfflineQueues;
  readonly keys: IdempotencyKeys;
  readonly router: Router;
  readonly environment: SessionEnvironment;
}

/** Everything of sessions that outlives the process, as records: written down, and taken over again. */
export class SessionArchive {
  constructor(private readonly parts: ArchiveParts) {}

  /**
   * Everything that outlives the process. Serving goes on; what happens between two records is in the
   * records that follow, or in the journal. The header comes again before times to live, which count
   * from it: those of a snapshot that takes long are a little longer than what is left, never less.
   */
  *snapshot(): IterableIterator<StateRecord> {
    const { registry, offline, keys, environment } = this.parts;
    const { clock } = environment;
    yield this.header();
    for (const session of registry.longestDetachedFirst()) {
      yield new StateRecord({ session: snapshotSession(session) });
    }
    let now = clock.now();
    yield this.header();
    for (const offlinePush of offline.entries(now)) {
      yield new StateRecord({ offlinePush });
    }
    now = clock.now();
    yield this.header();
    for (const key of keys.snapshot(now)) {
      yield new StateRecord({ key: { ...key, ttl: Math.ceil(key.ttl) } });
    }
  }

  /**
   * Takes over what a former process, or the former primary, left. Called before the first session.
   * @param jump for a state that may lack its end: the next push number of every session and the floor
   * go up to where nothing can have been sent (`jumpAbove`).
   * @returns how many sessions came back.
   */
  restore(records: Iterable<StateRecord>, jump: Parity | null = null): number {
    const { registry, offline, keys, router, environment } = this.parts;
    const sessions: Session[] = [];
    for (const { header, session, offlinePush, key } of records) {
      if (header) registry.raiseFloor(header.numberFloor ?? 0);
      if (session) {
        const state = new SessionState(session);
        const route = router.routeFor(state.openid);
        environment.handles.taken(state.handle);
        const restored = restoreSession(state, route, environment, jump);
        sessions.push(restored);
        registry.noteDetached(restored);
      }
      if (offlinePush?.body) {
        offline.restore({ ...offlinePush, body: offlinePush.body });
      }
      if (key?.key) {
        keys.remember(key.key, key.digest ?? '', key.ttl ?? 0, key.plainDigest ?? '');
      }
    }
    // Records come in the order of `longestDetachedFirst`; the registry keeps that of beginning.
    sessions.sort((one, other) => one.handle - other.handle);
    for (const session of sessions) registry.add(session);
    if (jump !== null) registry.raiseFloor(jumpAbove(registry.floor, jump));
    return registry.size;
  }

  /** After `restore`, once this gateway serves: what was kept without an answer goes to its upstream again. */
  askAgain(): void {
    askAgain(this.parts.registry.all());
  }

  private header(): StateRecord {
    const { registry, environment } = this.parts;
    const header = {
      version: STATE_VERSION,
      numberFloor: registry.floor,
      epoch: environment.epochs.current,
      wallTime: environment.journal?.time.now() ?? environment.clock.wallTime(),
    };
    return new StateRecord({ header });
  }
}
