/** A promise of docs/models/README.md ("How it is tried") that a history breaks. */
export interface Violation {
  readonly kind:
    | 'gap'
    | 'reorder'
    | 'number reused'
    | 'loss'
    | 'duplicate'
    | 'foreign push'
    | 'double execution'
    | 'false refusal'
    | 'false answer'
    | 'unsettled'
    | 'two primaries';
  readonly at: number;
  readonly text: string;
}
