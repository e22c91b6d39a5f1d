import type { Link, SendResult } from '../link/link.js';
import type { ErrorCode } from '../wire/error-catalogue.js';
import type { Frame } from '../wire/frame-encoder.js';
import type { Watch } from './trace/watch.js';

/** The connection that serves a session at the moment, as the session sees it. */
export interface SessionChannel {
  /** Of the Link: `quic`, ... */
  readonly transport: string;
  readonly remoteAddress: string;
  /** What it sends and hears on; asked for what is under way, either way. */
  readonly link: Pick<Link, 'bufferedBytes' | 'partBytes'>;
  send(frame: Frame): SendResult;
  pauseReading(): void;
  resumeReading(): void;
  /** Who is told of everything that passes it from now on; null: nobody. */
  watch(watch: Watch | null): void;
  /**
   * Tells the client why and ends the connection; the session is detached and stays.
   * @param atOnce by the close alone: it is not waited for whether anybody is there to hear why.
   */
  drop(code: ErrorCode, reason: string, atOnce?: boolean): void;
}
