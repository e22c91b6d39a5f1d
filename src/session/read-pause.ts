import type { Link } from '../link/link.js';

/** Pauses the reading of a Link while there is any reason to. */
export class ReadPause {
  /** Called right before it is read again. */
  onResume: () => void = () => undefined;
  private readonly reasons = new Set<'verifying' | 'request_limit'>();

  constructor(private readonly link: Link) {}

  get paused(): boolean {
    return this.reasons.size > 0;
  }

  /** @param holds whether this reason to pause is there now. */
  set(reason: 'verifying' | 'request_limit', holds: boolean): void {
    const before = this.reasons.size;
    if (holds) this.reasons.add(reason);
    else this.reasons.delete(reason);
    if (before === 0 && holds) this.link.pause();
    else if (before > 0 && !this.paused) {
      this.onResume();
      this.link.resume();
    }
  }
}
