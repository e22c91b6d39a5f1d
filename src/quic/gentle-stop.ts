/** Connections that are closed in one turn: some 15 ms of packets, and far less than a socket's buffers hold. */
export const CLOSES_PER_TURN = 500;

/** The kernel that takes nothing for so many pauses, of about a millisecond, is waited for no more. */
const MAX_FRUITLESS_PAUSES = 1_000;

/** What stopping needs of an endpoint. */
export interface Stopping {
  /** Bytes of packets that wait for the kernel. */
  queuedBytes(): number;
  /** Resolves when what was asked for so far has left for the socket. */
  turn(): Promise<void>;
  /** Resolves about a millisecond later. */
  pause(): Promise<void>;
}

/**
 * Closes connections, however many, so that each one's close leaves: a few per turn, and the next ones
 * once the kernel has taken these. Resolves when all were taken.
 */
export async function closeAll<Connection>(
  connections: readonly Connection[],
  close: (connection: Connection) => void,
  stopping: Stopping,
): Promise<void> {
  let fruitless = 0;
  for (let from = 0; from < connections.length; from += CLOSES_PER_TURN) {
    for (const connection of connections.slice(from, from + CLOSES_PER_TURN)) close(connection);
    await stopping.turn();
    let queued = stopping.queuedBytes();
    while (queued > 0 && fruitless < MAX_FRUITLESS_PAUSES) {
      await stopping.pause();
      const before = queued;
      queued = stopping.queuedBytes();
      fruitless = queued < before ? 0 : fruitless + 1;
    }
  }
}
