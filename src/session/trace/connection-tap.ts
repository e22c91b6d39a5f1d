import type { LinkClosed } from '../../link/link.js';
import { errorName } from '../../wire/error-catalogue.js';
import type { ErrorCode } from '../../wire/error-catalogue.js';
import type { Frame } from '../../wire/frame-encoder.js';
import { FRAME_PREFIX_BYTES } from '../../wire/limits.js';
import {
  ClientRequest,
  RequestType,
  ServerPush,
  decodeFromClient,
  decodeMessage,
} from '../../wire/messages.js';
import { describePush, describeRequest } from './frame-fields.js';
import type { TraceContent, TraceFields } from './trace-event.js';
import type { Watch } from './watch.js';

/** The connection that is listened to. */
interface TappedConnection {
  readonly transport: string;
  readonly remoteAddress: string;
}

/** A session that came to the connection. */
export interface TappedSession {
  readonly id: string;
  readonly zone: string;
  readonly highestSent: number;
}

/** Tells a Watch of everything that passes one connection. It decodes anew what it tells of. */
export class ConnectionTap {
  private readonly number: number;
  private session: string | null = null;
  /** Highest push number that an earlier connection of the session was sent. */
  private sentBefore = 0;

  constructor(
    readonly watch: Watch,
    private readonly connection: TappedConnection,
    /** Null while it has none. */
    session: TappedSession | null,
  ) {
    this.number = watch.nextConnection();
    this.session = session?.id ?? null;
  }

  /** A frame came, and is about to be dealt with. */
  received(bytes: Uint8Array): void {
    const size = FRAME_PREFIX_BYTES + bytes.length;
    try {
      const frame = decodeFromClient(ClientRequest, bytes);
      const { type, fields, content } = describeRequest(frame);
      const { transport, remoteAddress: remote } = this.connection;
      const from = frame.type === RequestType.REQUEST_START ? { transport, remote } : {};
      const numbers = { msg_id: frame.msgId, seq: frame.seqId, bytes: size };
      this.tellFrame({ dir: 'in', type, ...numbers, ...fields, ...from }, content);
    } catch {
      this.tellFrame({ dir: 'in', type: 'BAD', msg_id: 0, seq: 0, bytes: size }, null);
    }
    this.watch.frameAt = this.watch.clock.now();
  }

  /**
   * A frame was given to the Link.
   * @param unsent how many bytes the transport has not taken, for later.
   */
  sent(frame: Frame, unsent: () => number): void {
    const push = decodeMessage(ServerPush, frame.subarray(FRAME_PREFIX_BYTES));
    const { type, fields, content } = describePush(push);
    const { msgId, seqId } = push;
    const again = seqId > 0 && seqId <= this.sentBefore ? { replay: true } : {};
    const numbers = { msg_id: msgId, seq: seqId, bytes: frame.length };
    this.tellFrame({ dir: 'out', type, ...numbers, ...fields, ...again }, content);
    const request = seqId === 0 ? null : this.watch.takeUnwritten(msgId);
    if (request === null) return;
    request.written();
    this.watch.soon(() => request.flushed(unsent()));
  }

  /** A START was accepted. */
  attached(session: TappedSession, kind: 'resume' | 'new' | 'new_incarnation', recovered: boolean) {
    this.session = session.id;
    this.sentBefore = session.highestSent;
    const { zone } = session;
    const { transport, remoteAddress: remote } = this.connection;
    const whence = { recovered, zone, transport, remote };
    if (kind === 'resume') this.tell('session', { what: 'resumed', ...whence });
    else this.tell('session', { what: 'started', kind, ...whence });
  }

  /** The session that it carried goes on without it. */
  lost(what: 'taken_over' | 'detached'): void {
    this.tell('session', { what });
  }

  /** The gateway ends the connection. */
  closing(code: ErrorCode, reason: string): void {
    this.tell('connection', { what: 'closing', code, name: errorName(code), reason });
  }

  closed({ by, code, reason }: LinkClosed): void {
    this.tell('connection', { what: 'closed', by, code, reason });
  }

  private tellFrame(fields: TraceFields, content: TraceContent | null): void {
    this.tell('frame', fields, content);
  }

  private tell(
    kind: 'frame' | 'session' | 'connection',
    fields: TraceFields,
    content: TraceContent | null = null,
  ): void {
    const place = { session: this.session, connection: this.number };
    this.watch.tell(kind, place, fields, content);
  }
}
