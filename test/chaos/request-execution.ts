import type { Executed, Recorded, Settled } from './history.js';
import type { Violation } from './violation.js';

export interface Executions {
  readonly violations: Violation[];
  readonly answered: number;
  readonly refused: number;
  /** Of unknown outcome: executed, and not. */
  readonly unknownExecuted: number;
  readonly unknownNotExecuted: number;
}

interface Request {
  readonly openid: string;
  readonly at: number;
  readonly executions: Executed[];
  settled: (Settled & { at: number }) | null;
}

/**
 * A request is executed at most once, one that was answered exactly once, one that was refused never;
 * what nobody knows is counted.
 */
export function checkRequests(facts: readonly Recorded[]): Executions {
  const violations: Violation[] = [];
  const requests = new Map<string, Request>();
  const numbers = new Map<string, string>();
  for (const fact of facts) {
    if (fact.kind === 'asked') {
      requests.set(fact.id, { openid: fact.openid, at: fact.at, executions: [], settled: null });
    } else if (fact.kind === 'executed') {
      const { id, session, clientSeq, at } = fact;
      const number = `${session} ${clientSeq}`;
      const request = requests.get(id);
      if (numbers.has(number) || request === undefined || request.executions.length > 0) {
        const other = numbers.get(number) ?? id;
        const text = `request ${id}, number ${clientSeq} of session ${session}, after ${other}`;
        violations.push({ kind: 'double execution', at, text });
      }
      if (request !== undefined && request.openid !== fact.openid) {
        const text = `request ${id} was executed for ${fact.openid}`;
        violations.push({ kind: 'false answer', at, text });
      }
      numbers.set(number, id);
      request?.executions.push(fact);
    } else if (fact.kind === 'settled') {
      const request = requests.get(fact.id);
      if (request !== undefined) request.settled = fact;
    }
  }
  const counts = { answered: 0, refused: 0, unknownExecuted: 0, unknownNotExecuted: 0 };
  for (const [id, request] of requests) {
    const { settled, executions } = request;
    violations.push(...judge(id, request));
    if (settled?.end === 'answered') counts.answered++;
    else if (settled?.end === 'refused') counts.refused++;
    else if (executions.length > 0) counts.unknownExecuted++;
    else counts.unknownNotExecuted++;
  }
  return { violations, ...counts };
}

function judge(id: string, { settled, executions, at }: Request): Violation[] {
  if (settled === null) return [{ kind: 'unsettled', at, text: `request ${id} never ended` }];
  const executed = executions.length > 0;
  if (settled.end === 'answered' && (!executed || settled.text !== id)) {
    const text = executed ? `request ${id} got "${settled.text}"` : `nobody executed ${id}`;
    return [{ kind: 'false answer', at: settled.at, text }];
  }
  if (settled.end === 'refused' && executed) {
    const text = `request ${id} was refused (${settled.text}) and executed`;
    return [{ kind: 'false refusal', at: settled.at, text }];
  }
  return [];
}
