import { connectionFault } from './http3-fault.js';
import { readVarint, varintLength } from './varint.js';

/** Quarter stream ids are below this: stream ids have 62 bits (RFC 9297 section 2.1). */
const QUARTER_ID_END = 2 ** 60;

/** An HTTP datagram: the request that it belongs to, and a view of what it carries. */
export interface HttpDatagram {
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** @throws {Http3Fault} DATAGRAM_ERROR, for the connection, where it names no stream. */
export function decodeDatagram(datagram: Uint8Array): HttpDatagram {
  const size = datagram.length === 0 ? 1 : varintLength(datagram[0] as number);
  if (datagram.length < size) throw connectionFault('DATAGRAM_ERROR', 'a datagram is cut short');
  const quarter = readVarint(datagram, 0);
  if (quarter >= QUARTER_ID_END) {
    throw connectionFault('DATAGRAM_ERROR', 'a datagram for a stream that cannot be');
  }
  return { streamId: quarter * 4, payload: datagram.subarray(size) };
}
