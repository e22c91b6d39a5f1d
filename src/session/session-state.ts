import type { JournalWriter } from '../journal/journal-writer.js';
import { positionWithin } from '../journal/position-within.js';
import type { Route } from '../routing/router.js';
import { frameSeqOf } from '../wire/frame-encoder.js';
import { SessionState } from '../wire/messages.js';
import { requestAgain } from './kept-request.js';
import type { KeptFields } from './kept-request.js';
import { jumpAbove } from './number-jump.js';
import type { Parity } from './number-jump.js';
import type { OutboxEntry } from './outbox.js';
import { OUTCOME_UNKNOWN } from './pending-request.js';
import { errorBody } from './responses.js';
import { Session } from './session.js';
import type { SessionEnvironment } from './session-environment.js';

type Unanswered = SessionState['unanswered'][number];

/** Everything of a session that outlives the process. */
export function snapshotSession(session: Session): SessionState {
  const { base, next, holes } = session.sequence.snapshot();
  return new SessionState({
    id: session.id,
    handle: session.handle,
    openid: session.openid,
    firstSeq: session.firstSeq,
    nextSeq: session.outbox.nextSeq,
    highestSent: session.highestSent,
    openingClaim: session.openingClaim,
    beganAtClaim: session.beganAtClaim,
    unrecovered: session.unrecovered,
    loggedIn: session.loggedIn,
    createdAt: session.createdAt,
    clientBase: base,
    clientNext: next,
    holes: holes.map((hole) => ({ from: hole.from, to: hole.to })),
    outbox: Array.from(session.outbox, ({ msgId, clientSeq, frame, position, moved }) => ({
      msgId,
      clientSeq,
      frame,
      position,
      moved,
    })),
    unanswered: Array.from(session.ledger.pending(), (request) => ({
      msgId: request.msgId,
      clientSeq: request.clientSeqId,
      after: request.after ?? [],
      ...(request.kept === null ? {} : { request: request.kept }),
    })),
    held: session.downstream.held,
    jumpFrom: session.jump?.from ?? 0,
    jumpTo: session.jump?.to ?? 0,
  });
}

/**
 * Builds a detached session from its snapshot; its resume window starts now. Requests that had no
 * answer get 504: whether they were executed is not known, and they are not dispatched again. Those that
 * were kept are in flight again; SessionArchive.askAgain sends them on their way.
 * @param jump where the state may lack its end: nothing gets a number that may have been sent with
 * another content.
 */
export function restoreSession(
  state: SessionState,
  route: Route,
  environment: SessionEnvironment,
  jump: Parity | null,
): Session {
  const origin = {
    id: state.id,
    ...(state.handle === 0 ? {} : { handle: state.handle }),
    openid: state.openid,
    firstSeq: state.firstSeq,
    openingClaim: state.openingClaim,
    beganAtClaim: state.beganAtClaim,
    recovered: !state.unrecovered,
    createdAt: state.createdAt,
  };
  const session = new Session(origin, route, environment);
  session.downstream.loggedIn ||= state.loggedIn;
  session.sequence.restore({
    base: state.clientBase,
    next: state.clientNext,
    holes: state.holes.map((hole) => ({ from: hole.from ?? 0, to: hole.to ?? 0 })),
  });
  const jumped = state.jumpTo === 0 ? null : { from: state.jumpFrom, to: state.jumpTo };
  session.outbox.restore(
    entriesOf(state, environment.journal),
    state.nextSeq,
    state.highestSent,
    jumped,
  );
  if (jump !== null) session.outbox.jumpTo(jumpAbove(state.nextSeq, jump));
  for (const entry of session.outbox) {
    if (entry.clientSeq !== 0) session.ledger.answered(entry.clientSeq);
  }
  const now = environment.clock.now();
  for (const request of state.unanswered) {
    if (request.request) takeUp(session, request, request.request, now);
    else answerUnknown(session, request, environment.journal);
  }
  session.downstream.adopt(state.held);
  session.detach();
  return session;
}

/** It may have been executed, and cannot be asked again. */
function answerUnknown(
  session: Session,
  { msgId, clientSeq, after }: Unanswered,
  journal: JournalWriter | null,
): void {
  const body = errorBody(OUTCOME_UNKNOWN.code, OUTCOME_UNKNOWN.reason);
  const answer = session.outbox.append(msgId ?? 0, clientSeq ?? 0, body);
  // Nobody else knows of it: it is in the snapshot that the journal goes on from, with its next entry.
  answer.position = (journal?.newest ?? 0) + 1;
  session.ledger.answered(answer.clientSeq);
  session.downstream.adopt(after ?? []);
}

function takeUp(
  session: Session,
  { msgId, clientSeq, after }: Unanswered,
  kept: KeptFields,
  now: number,
): void {
  const numbers = { msgId: msgId ?? 0, clientSeq: clientSeq ?? 0 };
  const request = requestAgain(session, kept, numbers, now);
  session.ledger.accepted(request);
  for (const body of after ?? []) session.outbox.reserve(body.length);
  if (after?.length) request.after = [...after];
}

function entriesOf(state: SessionState, journal: JournalWriter | null): OutboxEntry[] {
  return state.outbox.map((stored) => {
    const frame = Buffer.from(stored.frame ?? []);
    const { msgId, clientSeq } = stored;
    return {
      seq: frameSeqOf(frame),
      msgId: msgId ?? 0,
      clientSeq: clientSeq ?? 0,
      frame,
      sentAt: 0,
      position: positionWithin(journal, stored.position),
      moved: stored.moved ?? false,
    };
  });
}
