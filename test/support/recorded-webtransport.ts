import { SystemClock } from '../../src/base/clock.js';
import { WebTransportEnd } from '../../src/bench/client/webtransport-end.js';
import type { MessageStream } from '../../src/http3/message-stream.js';
import type { Field } from '../../src/http3/qpack-static-table.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';

/** The client's end of a WebTransport session that remembers how its CONNECT went. */
export class RecordedWebTransport extends WebTransportEnd {
  /** The code of a reset of CONNECT. */
  aborted: number | null = null;

  constructor(connection: QuicConnection, fields: readonly Field[]) {
    super(connection, new SystemClock(), fields);
    const aborted = this.session.onAborted.bind(this.session);
    this.session.onAborted = (code?: number) => {
      this.aborted = code ?? null;
      aborted();
    };
  }

  get message(): MessageStream {
    return this.request.message;
  }

  /** Header fields of the answer, once they came. */
  get answer(): ReadonlyMap<string, string> | null {
    return this.request.answer;
  }
}
