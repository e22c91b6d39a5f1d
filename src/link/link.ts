import type { ErrorCode } from '../wire/error-catalogue.js';
import type { Frame } from '../wire/frame-encoder.js';

/**
 * What became of a frame given to `send`:
 * ok - taken, the transport will deliver it if the connection lives;
 * full - not taken, the peer reads too slowly; `onWritable` follows;
 * closed - not taken, and nothing will be any more.
 */
export type SendResult = 'ok' | 'full' | 'closed';

/** How a Link ended. `code` is the application close code, 0 for a plain loss or a clean end. */
export interface LinkClosed {
  readonly code: number;
  readonly reason: string;
  /** Who ended it: the peer, this side, or neither (idle timeout, a broken transport). */
  readonly by: 'peer' | 'local' | 'loss';
}

/** What a Link tells whoever it is bound to. Never called from inside a call to that same Link. */
export interface LinkObserver {
  /** One frame without its length prefix. The view is valid only during the call. */
  onFrame(frame: Uint8Array): void;
  /** The bytes cannot be split into frames any more (400 empty, 413 above the limit); no frame follows. */
  onBadFrame(code: ErrorCode, reason: string): void;
  /** After `send` said full: there is room again. */
  onWritable(): void;
  /** Exactly once, and the last call. Nothing that `bufferedBytes` counted leaves any more. */
  onClosed(closed: LinkClosed): void;
}

/**
 * One client connection that carries frames both ways, in order, as long as it lives. Every
 * transport implements it and passes test/compliance/link-suite.ts.
 */
export interface Link {
  /** `quic`, `memory`, ...: a metric label. */
  readonly transport: string;
  /** host:port of the peer as text, IPv6 in brackets; it may change when the peer migrates. */
  readonly remoteAddress: string;
  /** Bytes taken by `send` and not yet given to the transport. */
  readonly bufferedBytes: number;
  /** Bytes of a frame of the peer that is not complete yet; missing where the transport does not tell. */
  readonly partBytes?: number;

  /** Who hears of this Link. Called once, before any frame is delivered. */
  bind(observer: LinkObserver): void;

  /** Gives a whole frame, prefix included, to the transport. The bytes must not change afterwards. */
  send(frame: Frame): SendResult;

  /** Stops delivering frames; the transport's flow control then holds the peer. Idempotent. */
  pause(): void;
  resume(): void;

  /**
   * Ends gracefully: what was taken is delivered, then FIN; the connection closes with `code` when
   * the peer closes or after LINGER_MS. Frames of the peer are discarded from here on; a peer that
   * sends on and on is held back or not waited for.
   */
  finish(code: ErrorCode, reason: string): void;

  /** Closes at once with this application code; what was not delivered yet is lost. */
  close(code: ErrorCode, reason: string): void;

  /**
   * As `close`, and nothing that `send` took leaves any more; where it is missing `close` does just that.
   * Also after `finish` and `close`: until onClosed something may still wait.
   */
  discard?(code: ErrorCode, reason: string): void;
}

/** Ends a Link so that nothing it took leaves any more. */
export function discardLink(
  link: Pick<Link, 'close' | 'discard'>,
  code: ErrorCode,
  reason: string,
): void {
  if (link.discard === undefined) link.close(code, reason);
  else link.discard(code, reason);
}

/** How long `finish` waits for the peer to close: closing at once would discard the final frame. */
export const LINGER_MS = 1_000;

/**
 * Bytes that a Link takes before it says full. Larger than any burst of small frames, small enough
 * that 100,000 stalled clients cannot hold more than a few GiB.
 */
export const LINK_BUFFER_BYTES = 256 * 1024;
