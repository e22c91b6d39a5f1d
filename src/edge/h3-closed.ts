import { Http3Code } from '../http3/http3-fault.js';
import type { LinkClosed } from '../link/link.js';
import type { QuicClosed } from '../quic/quic-closed.js';

/** How the end of an HTTP/3 connection looks to a Link: application codes are those of HTTP/3 here, none of ours. */
export function linkClosedOfHttp3({ application, code, reason, by }: QuicClosed): LinkClosed {
  const clean = code === 0 || (application && code === Http3Code.NO_ERROR);
  const text = clean ? reason : `HTTP/3 error 0x${code.toString(16)} ${reason}`;
  return { code: 0, reason: text, by: clean || application || by === 'local' ? by : 'loss' };
}
