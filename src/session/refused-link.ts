import type { Link, LinkObserver } from '../link/link.js';
import type { ErrorCode } from '../wire/error-catalogue.js';

/** Hears of a Link that was refused, and of nothing else. */
const DISCARDING: LinkObserver = {
  onFrame: () => undefined,
  onBadFrame: () => undefined,
  onWritable: () => undefined,
  onClosed: () => undefined,
};

/** Closes a Link that nobody has taken. */
export function refuseLink(link: Link, code: ErrorCode, reason: string): void {
  link.bind(DISCARDING);
  link.close(code, reason);
}
