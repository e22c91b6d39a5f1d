import type { Channel } from '@grpc/grpc-js';
import { grpcJs } from './grpc-js-library.js';

/** Who follows the connections of a channel. */
export interface ConnectionFollower {
  onConnected(): void;
  /** The channel has given its connection up: it is lost, or the peer said GOAWAY. */
  onLeft(): void;
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
  private readonly followers = new Set<ConnectionFollower>();

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

  /** Tells of every change from now on, until `unfollow`. */
  follow(follower: ConnectionFollower): void {
    this.followers.add(follower);
  }

  unfollow(follower: ConnectionFollower): void {
    this.followers.delete(follower);
  }

  private look(): void {
    const { connectivityState } = grpcJs();
    const state = this.channel.getConnectivityState(false);
    const ready = state === connectivityState.READY;
    const changed = ready !== this.ready;
    this.ready = ready;
    if (changed) this.tell(ready);
    if (state === connectivityState.SHUTDOWN) return;
    this.channel.watchConnectivityState(state, Infinity, () => this.look());
  }

  private tell(connected: boolean): void {
    if (connected) this.connections++;
    for (const follower of [...this.followers]) {
      if (connected) follower.onConnected();
      else follower.onLeft();
    }
  }
}
