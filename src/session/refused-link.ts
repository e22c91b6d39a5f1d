import type { Link, LinkObserver } from '../link/link.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import type { ConnectionRefusal } from './overload/overload.js';

export const STARTING: ConnectionRefusal = {
  code: ErrorCode.Overloaded,
  reason: 'starting',
  label: 'starting',
};
export const DRAINING: ConnectionRefusal = {
  code: ErrorCode.Overloaded,
  reason: 'shutting down',
  label: 'draining',
};
export const AT_CAPACITY: ConnectionRefusal = {
  code: ErrorCode.Overloaded,
  reason: 'at capacity',
  label: 'max_connections',
};

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
