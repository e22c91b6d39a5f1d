import { BucketLimit } from '../../base/token-bucket.js';
import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import { FIRST_WINDOW, FRAME_PAYLOAD, MAX_WINDOW, Setting } from './frames.js';

/** The largest SETTINGS_MAX_FRAME_SIZE there is (RFC 9113 section 6.5.2). */
const LARGEST_FRAME = 2 ** 24 - 1;

/** What the peer's SETTINGS allow us. */
export class PeerSettings {
  maxStreams = Infinity;
  initialWindow = FIRST_WINDOW;
  maxFrame = FRAME_PAYLOAD;

  /** @throws {ConnectionError} for a value that the protocol forbids. */
  apply(setting: number, value: number): void {
    switch (setting) {
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxStreams = value;
        return;
      case Setting.MAX_FRAME_SIZE:
        if (value < FRAME_PAYLOAD || value > LARGEST_FRAME) {
          throw new ConnectionError(Http2Code.PROTOCOL_ERROR, `MAX_FRAME_SIZE ${value}`);
        }
        this.maxFrame = value;
        return;
      case Setting.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW) {
          throw new ConnectionError(Http2Code.FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE ${value}`);
        }
        this.initialWindow = value;
        return;
      default:
    }
  }
}

/** SETTINGS that a peer may send at once, and in a second from then on; libraries send a few in a minute. */
const SETTINGS_BURST = 1_000;
const SETTINGS_PER_SECOND = 100;

/** How often SETTINGS may come, for each of them may change the windows of a thousand streams. */
export const SETTINGS_RATE = new BucketLimit(SETTINGS_PER_SECOND, SETTINGS_BURST);
