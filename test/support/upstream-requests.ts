import { createHash } from 'node:crypto';
import type { DispatchTrace } from '../../src/routing/dispatch-trace.js';
import type { RoutedRequest, Route, UpstreamOutcome } from '../../src/routing/router.js';

/** A business request that remembers its outcomes. */
export class RecordedRequest implements RoutedRequest {
  readonly sessionId = 'session-1';
  readonly params: Record<string, string> = { key: 'value' };
  readonly headers: Record<string, string> = { header: 'text' };
  readonly trace: DispatchTrace | null = null;
  readonly outcomes: UpstreamOutcome[] = [];
  private settle: (outcome: UpstreamOutcome) => void = () => undefined;
  /** Resolves with the first outcome. */
  readonly outcome = new Promise<UpstreamOutcome>((resolve) => (this.settle = resolve));

  constructor(
    readonly openid: string,
    readonly clientSeqId: number,
    readonly action = 'echo',
    readonly data: Uint8Array = Buffer.from(`data ${clientSeqId}`),
  ) {}

  onOutcome(outcome: UpstreamOutcome): void {
    this.outcomes.push(outcome);
    this.settle(outcome);
  }

  /** `200`, `502`, ...: the code of the only outcome, or null while there is none. */
  get code(): number | null {
    const [first, second] = this.outcomes;
    if (second !== undefined) throw new Error('more than one outcome');
    if (first === undefined) return null;
    return first.kind === 'answered' ? first.response.code : first.code;
  }
}

/** Dispatches a new request. */
export function send(
  route: Route,
  openid: string,
  clientSeqId: number,
  action = 'echo',
): RecordedRequest {
  const request = new RecordedRequest(openid, clientSeqId, action);
  route.dispatch(request);
  return request;
}

/** The code of a request's outcome, when it comes. */
export async function codeOf(request: RecordedRequest): Promise<number | null> {
  await request.outcome;
  return request.code;
}

/** Lets microtasks and one turn of I/O run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The zone by an implementation of its own, to choose openids in tests. */
export function openidsOfZone(zone: string, count: number): string[] {
  const found: string[] = [];
  for (let index = 0; found.length < count; index++) {
    const digest = createHash('md5').update(`user-${index}`).digest('hex');
    const number = (parseInt(digest.slice(0, 8), 16) % 6) + 1;
    if (String(number).padStart(3, '0') === zone) found.push(`user-${index}`);
  }
  return found;
}
