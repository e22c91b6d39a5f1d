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

  /**
   * @returns by how much the window of every open stream changes.
   * @throws {ConnectionError} for a value that the protocol forbids.
   */
  apply(setting: number, value: number): number {
    switch (setting) {
      case Setting.MAX_CONCURRENT_STREAMS:
        this.maxStreams = value;
        return 0;
      case Setting.MAX_FRAME_SIZE:
        if (value < FRAME_PAYLOAD || value > LARGEST_FRAME) {
          throw new ConnectionError(Http2Code.PROTOCOL_ERROR, `MAX_FRAME_SIZE ${value}`);
        }
        this.maxFrame = value;
        return 0;
      case Setting.INITIAL_WINDOW_SIZE: {
        if (value > MAX_WINDOW) {
          throw new ConnectionError(Http2Code.FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE ${value}`);
        }
        const change = value - this.initialWindow;
        this.initialWindow = value;
        return change;
      }
      default:
        return 0;
    }
  }
}
