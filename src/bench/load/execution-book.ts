/** Which requests were executed, in memory that does not grow with their number. */
export class ExecutionBook {
  executed = 0;
  /** Executions beyond the first of a request. */
  repeated = 0;
  private readonly sessions = new Map<string, { below: number; above: Set<number> }>();

  /** @param seq number of the request within its session, from 1. */
  note(sessionId: string, seq: number): void {
    let seen = this.sessions.get(sessionId);
    if (seen === undefined) this.sessions.set(sessionId, (seen = { below: 1, above: new Set() }));
    this.executed++;
    if (seq < seen.below || seen.above.has(seq)) {
      this.repeated++;
      return;
    }
    seen.above.add(seq);
    while (seen.above.delete(seen.below)) seen.below++;
  }
}
