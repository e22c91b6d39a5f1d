import type { Channel } from '@grpc/grpc-js';
import { grpcJs } from './grpc-js-library.js';

/** Who waits for a channel to be connected. */
export interface ConnectionWaiter {
  onConnected(): void;
}

/**
 * Knows whether a channel has been connected since a given moment, which is what tells a request
 * that surely never left from one that may have. grpc-js keeps its own verdict (RpcProgress) to
 * itself, but it tells every change of connectivity synchronously, before any outcome of a call
 * that was started on the new connection.
 */
export class ChannelWatch {
  private connections = 0;
  private ready = false;
  private readonly waiters = new Set<ConnectionWaiter>();

  constructor(private readonly channel: Channel) {
    this.look();
  }

  /** A mark for `connectedSince`: -1 while connected, for then the request may go out at once. */
  mark(): number {
    return this.ready ? -1 : this.connections;
  }

  /** Whether the channel was connected at or after the moment of the mark. */
  connectedSince(mark: number): boolean {
    return mark === -1 || mark !== this.connections;
  }

  /** Tells once, when it is connected. */
  wait(waiter: ConnectionWaiter): void {
    this.waiters.add(waiter);
  }

  /** It waits no more. */
  leave(waiter: ConnectionWaiter): void {
    this.waiters.delete(waiter);
  }

  private look(): void {
    const { connectivityState } = grpcJs();
    const state = this.channel.getConnectivityState(false);
    const ready = state === connectivityState.READY;
    const connected = ready && !this.ready;
    this.ready = ready;
    if (connected) this.tellConnected();
    if (state === connectivityState.SHUTDOWN) return;
    this.channel.watchConnectivityState(state, Infinity, () => this.look());
  }

  private tellConnected(): void {
    this.connections++;
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const waiter of waiters) waiter.onConnected();
  }
}
