import { ErrorCode } from '../wire/error-catalogue.js';
import type { ConnectionRefusal } from './overload/overload.js';

/** Why a Link is closed that the gateway does not take at the moment. */
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
