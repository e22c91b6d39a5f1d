/** One measurement: who was measured, in which case, and its figures by name. */
export interface Row {
  readonly contestant: string;
  /** What else distinguishes it: `1,000 sessions`. Rows of one contestant and case are rounds. */
  readonly case: string;
  readonly [figure: string]: number | string | readonly number[];
}
