import { highestUsed, jumpsOver } from './number-jump.js';
import type { NumberJump } from './number-jump.js';

/** The part of a START that decides about numbers. */
export interface StartClaim {
  /** Highest number the client says it received; 0: it remembers nothing. */
  readonly lastAcked: number;
  /** Session id an SDK wants to resume; empty for deployed clients and new processes. */
  readonly resumeSessionId: string;
}

/** The part of a known session that decides. */
export interface KnownSession {
  readonly id: string;
  readonly firstSeq: number;
  readonly acknowledged: number;
  readonly highestSent: number;
  /** Null where its numbers never jumped. */
  readonly jump: NumberJump | null;
  /** last_acked_seq_id of the START that opened this incarnation. */
  readonly openingClaim: number;
  /** Whether this incarnation began with recovered=false and nothing of it was acknowledged since. */
  readonly unrecovered: boolean;
  /** Whether its numbers began at a client's claim above the floor. */
  readonly beganAtClaim: boolean;
}

/** A session begins anew, for an openid that has none (`new`) or one that forgot it. */
export interface NewIncarnation {
  readonly kind: 'new_incarnation' | 'new';
  readonly recovered: boolean;
  /** Number of the incarnation's first frame. */
  readonly firstSeq: number;
  /** The number comes from a client's claim: it must not raise the floor when the session ends. */
  readonly beganAtClaim: boolean;
}

/** What a START leads to. */
export type StartDecision<Known extends KnownSession> =
  | { readonly kind: 'resume'; readonly recovered: boolean; readonly session: Known }
  | NewIncarnation;

/**
 * Decides whether a START resumes, opens a new incarnation of a known openid, or a first session.
 * Every rule and its reason: docs/SESSIONS.md, "Starting and resuming". Pure.
 * @param floor at or above every number ever sent to a session the gateway no longer knows.
 */
export function decideStart<Known extends KnownSession>(
  claim: StartClaim,
  known: Known | null,
  floor: number,
): StartDecision<Known> {
  if (known === null) return decideUnknown(claim, floor);
  const namesThisSession = claim.resumeSessionId === known.id;
  if (mayResume(claim, known, namesThisSession)) {
    const anythingAcknowledged = known.acknowledged >= known.firstSeq;
    const belowAcknowledged = anythingAcknowledged && claim.lastAcked < known.acknowledged;
    const acknowledgesNow = claim.lastAcked >= known.firstSeq;
    const stillUnrecovered = known.unrecovered && !namesThisSession && !acknowledgesNow;
    const recovered = !belowAcknowledged && !stillUnrecovered;
    return { kind: 'resume', recovered, session: known };
  }
  const remembers = claim.lastAcked > 0 || claim.resumeSessionId !== '';
  return {
    kind: 'new_incarnation',
    recovered: !remembers && !known.unrecovered,
    firstSeq: Math.max(highestUsed(known), claim.lastAcked) + 1,
    beganAtClaim: known.beganAtClaim || claim.lastAcked > Math.max(highestUsed(known), floor),
  };
}

function decideUnknown(claim: StartClaim, floor: number): NewIncarnation {
  return {
    kind: 'new',
    recovered: claim.lastAcked === 0 && claim.resumeSessionId === '',
    firstSeq: Math.max(claim.lastAcked, floor) + 1,
    beganAtClaim: claim.lastAcked > floor,
  };
}

function mayResume(claim: StartClaim, known: KnownSession, namesThisSession: boolean): boolean {
  if (claim.lastAcked > known.highestSent || jumpsOver(known.jump, claim.lastAcked)) return false;
  if (claim.resumeSessionId !== '') return namesThisSession;
  if (claim.lastAcked === 0) return false;
  return claim.lastAcked >= known.firstSeq || claim.lastAcked === known.openingClaim;
}
