import { SystemClock } from '../../src/base/clock.js';
import { WebTransportCarrier } from '../../src/edge/h3-webtransport.js';
import { MessageStream } from '../../src/http3/message-stream.js';
import type { Field } from '../../src/http3/qpack-static-table.js';
import { encodeSettings } from '../../src/http3/settings.js';
import { SettingId } from '../../src/http3/settings.js';
import { bidiHeader } from '../../src/http3/webtransport.js';
import { WebTransportSession } from '../../src/http3/webtransport-session.js';
import type { Link } from '../../src/link/link.js';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import type { QuicStream } from '../../src/quic/quic-stream.js';
import { PATIENCE_MS } from './patience.js';

/** What a client announces that speaks WebTransport, as its control stream's bytes. */
export const WEBTRANSPORT_CLIENT = encodeSettings(
  new Map([
    [SettingId.H3_DATAGRAM, 1],
    [SettingId.ENABLE_WEBTRANSPORT, 1],
  ]),
);

/** The CONNECT of a session, as Chromium's. */
export const CONNECT: readonly Field[] = [
  [':method', 'CONNECT'],
  [':protocol', 'webtransport'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/gatesvr'],
  ['sec-webtransport-http3-draft02', '1'],
];

/** The client's end of one WebTransport session, its stream opened at once. */
export class WebTransportEnd {
  /** Header fields of the answer, once they came. */
  answer: ReadonlyMap<string, string> | null = null;
  /** The code of a reset of CONNECT. */
  aborted: number | null = null;
  readonly stream: QuicStream;
  readonly message: MessageStream;
  readonly session: WebTransportSession;
  readonly link: Link;

  constructor(connection: QuicConnection, fields: readonly Field[]) {
    this.message = new MessageStream(connection.openStream(), {
      onHead: (_, head) => (this.answer = new Map(head)),
      onVain: () => undefined,
      onOver: () => undefined,
    });
    this.message.sendFields(fields);
    let made: Link | null = null;
    const carrier = new WebTransportCarrier(connection, {
      accept: (link) => (made = link),
      clock: new SystemClock(),
      onIdle: () => undefined,
      onEnded: () => undefined,
      streamTimeout: PATIENCE_MS,
    });
    this.session = new WebTransportSession(this.message, carrier);
    const aborted = this.session.onAborted.bind(this.session);
    this.session.onAborted = (code?: number) => {
      this.aborted = code ?? null;
      aborted();
    };
    this.stream = connection.openStream();
    this.stream.write(bidiHeader(this.session.id));
    this.session.attach(this.stream);
    this.link = made as unknown as Link;
  }
}
