/** What a connection may waste at once, besides its flow control window. */
const BURST_BYTES = 64 * 1024;
/** The budget never grows above this, besides the window. */
const CAP_BYTES = 128 * 1024;
/** Refilled by time: the keepalives of a connection that carries nothing for hours. */
const BYTES_PER_MS = 16 / 1000;
/** Refilled by what we send: half, for a receiver of pushes sends little but acks. */
const SENT_SHARE = 0.5;
/** A useful byte pays for one byte of overhead; headers, acks and small frames need no more. */
const READ_SHARE = 2;
/** What a turn in which anything was read may waste besides: one datagram. */
const READ_BONUS = 1_500;

/**
 * How many bytes a peer may still send that never become stream bytes. In quiche 0.18 a peer makes
 * memory grow with such bytes (QUIC-NOTES.md, "Known weaknesses"); flow control does not count them.
 * Stream bytes that wait behind a lost packet look wasted until it is repeated, which is why the
 * flow control window is added: it bounds them.
 */
export class WasteBudget {
  private left: number;
  private sentBytes = 0;
  private refilledAt: number;
  private receivedBytes = 0;
  private receivedDatagrams = 0;
  private acceptedPackets = 0;
  private readonly cap: number;

  /**
   * @param window bytes that flow control lets the peer send ahead at first.
   * @param maxWindow what that may grow to; it grows with reading, as the budget does.
   * @param now of the Clock, ms.
   */
  constructor(window: number, maxWindow: number, now: number) {
    this.left = BURST_BYTES + window;
    this.cap = CAP_BYTES + maxWindow;
    this.refilledAt = now;
  }

  get bytesLeft(): number {
    return this.left;
  }

  /** Counts bytes of a packet that we sent. */
  sent(bytes: number): void {
    this.sentBytes += bytes;
  }

  /**
   * Accounts for the datagrams of one event-loop turn.
   * @param received bytes of datagrams, headers included.
   * @param datagrams their number.
   * @param read bytes of streams that were read in that turn.
   * @returns false once the budget is used up: `forgive`, or close the connection.
   */
  charge(received: number, datagrams: number, read: number, now: number): boolean {
    const refill = this.sentBytes * SENT_SHARE + (now - this.refilledAt) * BYTES_PER_MS;
    const useful = read > 0 ? read * READ_SHARE + READ_BONUS : 0;
    this.refilledAt = now;
    this.sentBytes = 0;
    this.receivedBytes += received;
    this.receivedDatagrams += datagrams;
    this.left = Math.min(this.cap, this.left + refill + useful - received);
    return this.left > 0;
  }

  /**
   * Gives back what was charged for datagrams that quiche threw away: a stranger who repeats old
   * packets or sends noise to this connection's id must not be able to end it.
   * @param accepted packets that quiche ever accepted on this connection.
   * @returns whether the connection may go on.
   */
  forgive(accepted: number): boolean {
    const share = 1 - (accepted - this.acceptedPackets) / Math.max(1, this.receivedDatagrams);
    this.left = Math.min(this.cap, this.left + Math.max(0, share) * this.receivedBytes);
    this.acceptedPackets = accepted;
    this.receivedBytes = this.receivedDatagrams = 0;
    return this.left > 0;
  }
}
