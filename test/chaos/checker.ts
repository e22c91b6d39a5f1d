import { checkBroadcasts } from './broadcast-delivery.js';
import { checkFrameOrder } from './frame-order.js';
import type { Recorded } from './history.js';
import { Lapses } from './lapses.js';
import { checkOnePrimary } from './one-primary.js';
import { checkPushDelivery } from './push-delivery.js';
import { checkRequests } from './request-execution.js';
import type { Violation } from './violation.js';

export interface Verdict {
  /** In the order of time; empty where everything held. */
  readonly violations: readonly Violation[];
  /** One line of figures. */
  readonly summary: string;
}

/**
 * Holds a finished history against what a gateway promises: numbers in order, accepted pushes delivered, no
 * request executed twice, one primary (docs/models/README.md, "How it is tried").
 */
export function judge(facts: readonly Recorded[]): Verdict {
  const order = checkFrameOrder(facts);
  const pushes = checkPushDelivery(facts);
  const requests = checkRequests(facts);
  const primaries = checkOnePrimary(facts);
  const broadcasts = checkBroadcasts(facts, new Lapses(facts));
  const others = [order, broadcasts.violations];
  const all = [...others, pushes.violations, requests.violations, primaries.violations].flat();
  const frames = facts.filter(({ kind }) => kind === 'frame').length;
  const starts = facts.filter(({ kind }) => kind === 'started').length;
  const anew = facts.filter(({ kind }) => kind === 'anew').length;
  const summary = [
    `${starts} connections`,
    `${frames} frames`,
    `${pushes.accepted} pushes accepted`,
    `${pushes.arrived} arrived`,
    `${pushes.lostAsConceded} lost as conceded, ${pushes.lateAsConceded} late`,
    `${broadcasts.taken} broadcasts (${broadcasts.conceded} conceded)`,
    `${anew} begun anew`,
    `${requests.answered} requests answered`,
    `${requests.refused} refused`,
    `${requests.unknownExecuted + requests.unknownNotExecuted} of unknown outcome (${requests.unknownExecuted} executed)`,
    `epoch ${primaries.epoch}`,
    `${primaries.conceded} flushes conceded`,
  ].join(', ');
  return { violations: all.sort((one, other) => one.at - other.at), summary };
}
