import { RandomDraws } from '../base/random-draws.js';
import type { Router } from '../routing/router.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { MAX_CLAIMED_SEQ, MAX_OPENID_BYTES } from '../wire/limits.js';
import type { StartRequest } from '../wire/messages.js';
import type { Authenticator } from './authenticator.js';
import type { OfflineQueues } from './offline-queues.js';
import { Session } from './session.js';
import type { SessionChannel } from './session-channel.js';
import type { SessionEnvironment } from './session-environment.js';
import type { SessionRegistry } from './session-registry.js';
import { snapshotSession } from './session-state.js';
import { decideStart } from './start-decision.js';
import type { NewIncarnation } from './start-decision.js';

/** Why a START was refused. */
export interface StartRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** A START whose identity is proven. */
export interface IdentityProof {
  /** Until when, ms since 1970; null: for ever. */
  readonly expiresAt: number | null;
}

/**
 * Tokens under verification at once; at most 8 KiB each, and verifying one takes about 0.1 ms, so that
 * the last of them waits well below auth_timeout. A START beyond is refused with 503.
 */
export const MAX_VERIFYING = 4_096;

/** Nobody guesses one: whoever knows it may resume the session where no token is asked for. */
const SESSION_ID_BYTES = 16;

/** What an accepted START opened; START_RESP goes out before the session may write. */
export interface StartedSession {
  readonly session: Session;
  readonly kind: 'resume' | 'new' | 'new_incarnation';
  readonly resumed: boolean;
  readonly recovered: boolean;
}

/** A place of its own, that of the connection before it, which has to go at once; or why there is none. */
export type Place = 'own' | 'former' | StartRefusal;

/** What START needs of the service that owns sessions and Links. */
export interface StartHost {
  end(session: Session, reason: 'evicted'): void;
  /** The place of a connection that is to carry a session. @param former the one that carries it now. */
  placeFor(channel: SessionChannel, former: SessionChannel | null): Place;
}

/** Turns a START into a session: resumed, a new incarnation, or a first one. */
export class StartProcedure {
  private readonly ids = new RandomDraws(SESSION_ID_BYTES);
  private arrivals = 0;
  private verifying = 0;

  constructor(
    private readonly registry: SessionRegistry,
    private readonly offline: OfflineQueues,
    private readonly authenticator: Authenticator,
    private readonly router: Router,
    private readonly environment: SessionEnvironment,
    private readonly host: StartHost,
  ) {}

  /** The place of a START in the order of arrival: a later one is never displaced by an earlier. */
  nextArrival(): number {
    return ++this.arrivals;
  }

  /** Checks what needs no proof; null when the START is well formed. */
  checkForm(frameSeq: number, start: StartRequest): StartRefusal | null {
    if (frameSeq !== 0) return bad('START must carry seq_id 0');
    if (start.openid === '') return bad('openid is empty');
    if (Buffer.byteLength(start.openid) > MAX_OPENID_BYTES) {
      return bad(`openid is longer than ${MAX_OPENID_BYTES} bytes`);
    }
    if (start.openid.includes('\ufffd')) return bad('openid is not valid UTF-8');
    if (start.lastAckedSeqId > MAX_CLAIMED_SEQ) return bad('last_acked_seq_id is above 2^52');
    return null;
  }

  /** Asks whether the token proves the openid; answers once, at once or later. */
  verify(
    start: StartRequest,
    remoteAddress: string,
    done: (proof: IdentityProof | StartRefusal) => void,
  ): void {
    if (this.verifying >= MAX_VERIFYING) {
      return done({ code: ErrorCode.Overloaded, reason: 'too many logins, try again later' });
    }
    this.verifying++;
    const credentials = { openid: start.openid, token: start.authToken, remoteAddress };
    this.authenticator.verify(credentials, (verdict) => {
      this.verifying--;
      if (verdict.ok) {
        this.environment.epochs.onSeen(start.openid, start.seenEpoch, start.epochProof);
        done(verdict);
      } else done({ code: ErrorCode.Unauthenticated, reason: verdict.reason });
    });
  }

  /** Gives the openid's session to a connection whose identity is proven. */
  open(
    start: StartRequest,
    arrival: number,
    channel: SessionChannel,
  ): StartedSession | StartRefusal {
    const known = this.registry.findByOpenid(start.openid);
    if (known !== undefined && known.holder > arrival) {
      return { code: ErrorCode.Replaced, reason: 'a newer connection holds the session' };
    }
    const former = known?.currentChannel ?? null;
    const place = this.host.placeFor(channel, former);
    if (typeof place === 'object') return place;
    const claim = { lastAcked: start.lastAckedSeqId, resumeSessionId: start.resumeSessionId };
    const decision = decideStart(claim, known ?? null, this.registry.floor);
    if (known === undefined && this.registry.full && !this.makeRoom()) {
      return { code: ErrorCode.Overloaded, reason: 'too many sessions, try again later' };
    }
    const session =
      decision.kind === 'resume' ? decision.session : this.incarnate(start, decision, known);
    if (decision.kind === 'resume') session.acknowledge(start.lastAckedSeqId);
    session.holder = arrival;
    session.attach(channel);
    // Only now: the session was never without a connection, so it is not detached.
    const reason = 'a newer connection took the session over';
    former?.drop(ErrorCode.Replaced, reason, place === 'former');
    const resumed = decision.kind === 'resume';
    const { started, connections } = this.environment.metrics;
    started.add(resumed ? 'resumed' : decision.kind);
    if (resumed) connections.reconnects.add(decision.recovered ? 'recovered' : 'unrecovered');
    return { session, kind: decision.kind, resumed, recovered: decision.recovered };
  }

  private incarnate(start: StartRequest, decision: NewIncarnation, known?: Session): Session {
    const origin = {
      id: this.ids.next().toString('hex'),
      openid: start.openid,
      firstSeq: decision.firstSeq,
      openingClaim: start.lastAckedSeqId,
      beganAtClaim: decision.beganAtClaim,
      recovered: decision.recovered,
      rate: known?.rate ?? null,
    };
    const session = new Session(origin, this.router.routeFor(start.openid), this.environment);
    const { journal } = this.environment;
    journal?.opened(snapshotSession(session));
    if (known !== undefined) {
      session.downstream.adopt(known.end());
      this.registry.remove(known);
      this.environment.tracing.ended(known, 'new_incarnation');
      journal?.ended(known.handle, this.registry.floor);
    } else {
      session.downstream.adopt(this.offline.take(start.openid));
    }
    this.registry.add(session);
    return session;
  }

  private makeRoom(): boolean {
    const oldest = this.registry.oldestExpendable();
    if (oldest === undefined) return false;
    this.host.end(oldest, 'evicted');
    return true;
  }
}

function bad(reason: string): StartRefusal {
  return { code: ErrorCode.BadFrame, reason };
}
