import type { Clock } from '../../base/clock.js';
import { STREAM_CONTENT_TYPE, STREAM_PATH } from '../../edge/h3-edge.js';
import { Http3LinkStream } from '../../edge/h3-link-stream.js';
import type { Field } from '../../http3/qpack-static-table.js';
import type { Link } from '../../link/link.js';
import type { QuicClosed } from '../../quic/quic-closed.js';
import type { QuicConnection } from '../../quic/quic-connection.js';
import { LastingRequest } from './lasting-request.js';

/** The request that opens the streaming edge. */
export const POST_STREAM: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', STREAM_PATH],
  ['content-type', STREAM_CONTENT_TYPE],
];

/** A client's end of the streaming edge: frames may be sent at once. */
export class StreamingEnd {
  readonly request: LastingRequest;
  readonly link: Link;

  constructor(connection: QuicConnection, clock: Clock, fields: readonly Field[] = POST_STREAM) {
    this.request = new LastingRequest(connection, fields);
    this.link = new Http3LinkStream(this.request.message, connection, clock, false).link;
  }

  /** For the owner of the connection: it is gone. */
  connectionGone(closed: QuicClosed): void {
    this.request.connectionGone(closed);
  }
}
