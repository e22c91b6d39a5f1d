import { CodedError } from '../../base/errors.js';

/** Different reasons that are kept; whoever reads them needs the first few. */
const MAX_REASONS = 20;

/** One thing that went wrong, and how often. */
export interface Fault {
  readonly reason: string;
  readonly count: number;
  /** The openid that it happened to first. */
  readonly first: string;
}

/** The work was not done as it should have been, so there is no rate to speak of. */
export class WorkNotDone extends CodedError {
  constructor(readonly faults: readonly Fault[]) {
    const lines = faults.map(({ reason, count, first }) => {
      const where = first === '' ? '' : ` (first at ${first})`;
      return `${count === 1 ? '' : `${count} times: `}${reason}${where}`;
    });
    super('WORK_NOT_DONE', ['the work was not done, so there is no figure:', ...lines].join('\n'));
    this.name = 'WorkNotDone';
  }
}

/** What went wrong during a run, equal things counted together. */
export class FaultBook {
  private readonly faults = new Map<string, { count: number; first: string }>();

  /** @param onFirst called once, at the first entry: there is no point in going on. */
  constructor(private readonly onFirst: () => void = () => undefined) {}

  get empty(): boolean {
    return this.faults.size === 0;
  }

  /** @param who the openid, empty where it is nobody's in particular. */
  note(reason: string, who = ''): void {
    const known = this.faults.get(reason);
    if (known !== undefined) known.count++;
    else if (this.faults.size < MAX_REASONS) this.faults.set(reason, { count: 1, first: who });
    if (known === undefined && this.faults.size === 1) this.onFirst();
  }

  /** @throws {WorkNotDone} where anything was noted. */
  check(): void {
    if (this.empty) return;
    const faults = [...this.faults].map(([reason, fault]) => ({ reason, ...fault }));
    throw new WorkNotDone(faults);
  }
}
