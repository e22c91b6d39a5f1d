import { CodedError } from '../../base/errors.js';
import type { Http3Fault } from '../../http3/http3-fault.js';
import { MessageStream } from '../../http3/message-stream.js';
import type { MessageHost } from '../../http3/message-stream.js';
import type { Field } from '../../http3/qpack-static-table.js';
import type { QuicClosed } from '../../quic/quic-closed.js';
import type { QuicConnection } from '../../quic/quic-connection.js';

/** A client's end of a request whose stream stays open for as long as the session that it carries. */
export class LastingRequest implements MessageHost {
  readonly message: MessageStream;
  /** Header fields of the answer, once they came. */
  answer: ReadonlyMap<string, string> | null = null;
  private failure: string | null = null;
  private tell: () => void = () => undefined;

  /** Sends the header section at once. */
  constructor(connection: QuicConnection, fields: readonly Field[]) {
    this.message = new MessageStream(connection.openStream(), this);
    this.message.sendFields(fields);
  }

  /** Resolves once it is answered with 200. @throws {CodedError} REFUSED where it is not. */
  async granted(): Promise<void> {
    if (this.answer === null && this.failure === null) {
      await new Promise<void>((resolve) => (this.tell = resolve));
    }
    const { answer } = this;
    if (answer === null) throw new CodedError('REFUSED', this.failure ?? 'no answer');
    const status = answer.get(':status') ?? 'no status';
    if (status !== '200') throw new CodedError('REFUSED', `answered with ${status}`);
  }

  /** For the owner of the connection: it is gone. */
  connectionGone(closed: QuicClosed): void {
    this.fail(`the connection ended: ${closed.code} ${closed.reason}`);
    this.message.gone(closed);
  }

  onHead(_: MessageStream, fields: readonly Field[] | null): void {
    this.answer = new Map(fields);
    this.tell();
  }

  onVain(fault: Http3Fault): void {
    this.fail(fault.message);
  }

  onOver(): void {
    // The Link over it tells how it ended.
  }

  private fail(why: string): void {
    this.failure ??= why;
    this.tell();
  }
}
