import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A TCP relay between two gateways that can be cut, or be late; the order of bytes stays. */
export class PeerWire {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private isCut = false;
  private lateMs = 0;

  private constructor(target: number) {
    this.server = createServer((near) => {
      if (this.isCut) {
        near.destroy();
        return;
      }
      const far = connect(target, '127.0.0.1');
      this.relay(near, far);
      this.relay(far, near);
    });
  }

  /** @param target port of 127.0.0.1. */
  static async to(target: number): Promise<PeerWire> {
    const wire = new PeerWire(target);
    await new Promise<void>((resolve) => wire.server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Nothing passes; connections break and new ones are refused. Or everything passes again. */
  set cut(cut: boolean) {
    this.isCut = cut;
    if (cut) for (const socket of this.sockets) socket.destroy();
  }

  /** What comes from now on arrives so much later, ms. */
  set late(ms: number) {
    this.lateMs = ms;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut = true;
    await closed;
  }

  private relay(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    let [due, waiting] = [0, 0];
    from.on('data', (bytes) => {
      // What is held back keeps its place when the wire is fast again.
      due = Math.max(due, performance.now() + this.lateMs);
      if (this.lateMs === 0 && waiting === 0) {
        to.write(bytes);
        return;
      }
      waiting++;
      setTimeout(() => {
        waiting--;
        if (!to.destroyed) to.write(bytes);
      }, due - performance.now());
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
