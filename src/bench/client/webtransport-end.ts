import type { Clock } from '../../base/clock.js';
import { WEBTRANSPORT_PATH } from '../../edge/h3-edge.js';
import { WebTransportCarrier } from '../../edge/h3-webtransport.js';
import type { Field } from '../../http3/qpack-static-table.js';
import { SettingId, encodeSettings } from '../../http3/settings.js';
import { WEBTRANSPORT_PROTOCOL, bidiHeader } from '../../http3/webtransport.js';
import { WebTransportSession } from '../../http3/webtransport-session.js';
import type { Link } from '../../link/link.js';
import type { QuicClosed } from '../../quic/quic-closed.js';
import type { QuicConnection } from '../../quic/quic-connection.js';
import type { QuicStream } from '../../quic/quic-stream.js';
import { LastingRequest } from './lasting-request.js';

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
  [':protocol', WEBTRANSPORT_PROTOCOL],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', WEBTRANSPORT_PATH],
  ['sec-webtransport-http3-draft02', '1'],
];

/** The carrier waits for a stream that is opened with the session: any time will do, ms. */
const STREAM_TIMEOUT_MS = 10_000;

/** A client's end of one WebTransport session, its stream opened at once: frames may be sent. */
export class WebTransportEnd {
  readonly request: LastingRequest;
  readonly stream: QuicStream;
  readonly session: WebTransportSession;
  readonly link: Link;

  constructor(connection: QuicConnection, clock: Clock, fields: readonly Field[] = CONNECT) {
    this.request = new LastingRequest(connection, fields);
    let made: Link | null = null;
    const carrier = new WebTransportCarrier(connection, {
      accept: (link) => (made = link),
      clock,
      onIdle: () => undefined,
      onEnded: () => undefined,
      streamTimeout: STREAM_TIMEOUT_MS,
    });
    this.session = new WebTransportSession(this.request.message, carrier);
    this.stream = connection.openStream();
    this.stream.write(bidiHeader(this.session.id));
    this.session.attach(this.stream);
    this.link = made as unknown as Link;
  }

  /** For the owner of the connection: it is gone. */
  connectionGone(closed: QuicClosed): void {
    this.request.connectionGone(closed);
  }
}
