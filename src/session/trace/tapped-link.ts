import { discardLink } from '../../link/link.js';
import type { Link, SendResult } from '../../link/link.js';
import type { ErrorCode } from '../../wire/error-catalogue.js';
import type { Frame } from '../../wire/frame-encoder.js';
import type { ConnectionTap } from './connection-tap.js';

/** What of a Link its writer uses. */
export type OutgoingLink = Pick<Link, 'send' | 'finish' | 'close' | 'discard'>;

/**
 * Stands before a Link and tells a tap what goes out. Only where somebody listens: others write to the
 * Link itself, and pay nothing.
 */
export class TappedLink implements OutgoingLink {
  private readonly unsent = (): number => this.link.bufferedBytes;

  constructor(
    private readonly link: Link,
    private readonly tap: ConnectionTap,
  ) {}

  send(frame: Frame): SendResult {
    const result = this.link.send(frame);
    if (result === 'ok') this.tap.sent(frame, this.unsent);
    return result;
  }

  finish(code: ErrorCode, reason: string): void {
    this.tap.closing(code, reason);
    this.link.finish(code, reason);
  }

  close(code: ErrorCode, reason: string): void {
    this.tap.closing(code, reason);
    this.link.close(code, reason);
  }

  discard(code: ErrorCode, reason: string): void {
    this.tap.closing(code, reason);
    discardLink(this.link, code, reason);
  }
}
