import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/**
 * Bytes of one connection after which a turn reads no more of it. The system hands over 2 MiB at once, which are a
 * hundred thousand messages of a client that means ill, and hundreds of milliseconds for everybody else.
 */
const TURN_BYTES = 16 * 1024;

/** What an open WebSocket is asked for. */
export type Held = Pick<WebSocket, 'isPaused' | 'resume'>;

/** The socket below it. */
export type ReadSocket = Pick<Socket, 'on' | 'pause'>;

/**
 * Reads a limited part of each connection in a turn of the event loop, so that one client that sends as fast as it can
 * leaves the others their turn. What was not read stays with the peer or in the socket.
 */
export class ReadTurn {
  private turn = 0;
  private scheduled = false;
  private held: Held[] = [];
  private readonly run = (): void => this.next();

  /**
   * Limits what is read of this connection from now on.
   * @param websocket reads `socket`, and did so first: what came is counted behind it.
   */
  watch(websocket: Held, socket: ReadSocket): void {
    let turn = -1;
    let bytes = 0;
    socket.on('data', (chunk: Uint8Array) => {
      if (turn !== this.turn) bytes = 0;
      turn = this.turn;
      bytes += chunk.length;
      this.schedule();
      if (bytes < TURN_BYTES) return;
      socket.pause();
      this.held.push(websocket);
    });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  private next(): void {
    this.scheduled = false;
    this.turn++;
    const { held } = this;
    this.held = [];
    // One that was paused meanwhile, by whomever it belongs to, stays so.
    for (const websocket of held) if (!websocket.isPaused) websocket.resume();
  }
}
