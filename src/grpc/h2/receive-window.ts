import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';

/** Credit is returned in such parts: a frame for every answer would cost as much as the answer. */
const PORTIONS = 4;

/** What the peer may send on all streams of a connection together (RFC 9113 section 5.2). */
export class ReceiveWindow {
  private taken = 0;

  /** @param size bytes that the peer was given at first. */
  constructor(private readonly size: number) {}

  /**
   * Takes bytes in.
   * @returns the credit that is due to the peer now, bytes; mostly 0.
   * @throws {ConnectionError} where it was never given so much.
   */
  take(bytes: number): number {
    this.taken += bytes;
    if (this.taken > this.size) {
      throw new ConnectionError(Http2Code.FLOW_CONTROL_ERROR, 'more than the connection window');
    }
    if (this.taken < this.size / PORTIONS) return 0;
    const credit = this.taken;
    this.taken = 0;
    return credit;
  }
}
