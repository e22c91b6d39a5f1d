import { MAX_VARINT_BYTES } from './varint.js';
import { connectionFault } from './http3-fault.js';

/** Set Dynamic Table Capacity to 0 (RFC 9204 section 4.3.1): all that a table of 0 bytes allows. */
const CAPACITY_ZERO = 0x20;
const STREAM_CANCELLATION = 0x40;
const INTEGER_GOES_ON = 0x3f;

/**
 * Takes bytes of the peer's encoder stream.
 * @throws {Http3Fault} QPACK_ENCODER_STREAM_ERROR, for the connection, where it uses a dynamic table.
 */
export function readEncoderStream(bytes: Uint8Array): void {
  for (const byte of bytes) {
    if (byte !== CAPACITY_ZERO) {
      throw connectionFault('QPACK_ENCODER_STREAM_ERROR', 'the dynamic table has no room');
    }
  }
}

/**
 * The peer's decoder stream. As we never use a dynamic table there is nothing to acknowledge; only
 * cancellations are in order (RFC 9204 section 4.4).
 */
export class DecoderStreamReader {
  /** Bytes of the integer that is being read; 0 between instructions. */
  private integerBytes = 0;

  /** @throws {Http3Fault} QPACK_DECODER_STREAM_ERROR, for the connection. */
  read(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.integerBytes > 0) {
        if (++this.integerBytes > MAX_VARINT_BYTES + 2) throw fault('an integer is too large');
        if (byte < 0x80) this.integerBytes = 0;
      } else if ((byte & 0xc0) !== STREAM_CANCELLATION) {
        throw fault('it acknowledges what was never sent');
      } else if ((byte & INTEGER_GOES_ON) === INTEGER_GOES_ON) {
        this.integerBytes = 1;
      }
    }
  }
}

function fault(message: string) {
  return connectionFault('QPACK_DECODER_STREAM_ERROR', message);
}
