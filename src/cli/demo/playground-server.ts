import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { answerPage, playgroundPages } from '../../gateway/playground.js';
import type { PlainPages } from '../../gateway/playground.js';
import { certificateHash } from '../../config/certificate-hash.js';
import type { Deployment } from './deployment.js';
import { HOST } from './host.js';

/** The gateway behind the page. */
export interface PlaygroundTarget {
  /** UDP. */
  readonly webTransportPort: number;
  /** TCP, with TLS. */
  readonly webSocketPort: number;
  /** The authority of its certificate, PEM. */
  readonly ca: string;
  readonly certificateHash: string;
}

/**
 * The playground of a demo, on plain HTTP of the loopback address: browsers call that secure, and no
 * certificate of the demo has to be accepted first. As they take none by its hash for a WebSocket, those
 * go through here, and on over TLS.
 */
export class PlaygroundServer {
  private readonly server: Server;
  private readonly relayed = new Set<Duplex>();

  private constructor(
    private readonly target: PlaygroundTarget,
    pages: (server: PlaygroundServer) => PlainPages,
  ) {
    const answers = pages(this);
    this.server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0] as string;
      const page = answers(path, request.headers.host ?? '');
      if (page !== null) answerPage(page, request, response);
      else response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page\n');
    });
    this.server.on('upgrade', (request, socket) => this.relay(request, socket));
  }

  /** The playground of a deployment. @throws {Error} where the page was not built. */
  static async of({ place, processes }: Deployment): Promise<PlaygroundServer> {
    const certificate = await readFile(join(processes.folder, 'server.crt'));
    return PlaygroundServer.start({
      webTransportPort: place.ports.quic,
      // The gateway's default.
      webSocketPort: place.ports.quic,
      ca: await processes.ca(),
      certificateHash: certificateHash(certificate),
    });
  }

  /** @throws {Error} where the page was not built. */
  static async start(target: PlaygroundTarget): Promise<PlaygroundServer> {
    const started = new PlaygroundServer(target, (server) => {
      const pages = playgroundPages(() => ({
        port: target.webTransportPort,
        webSocketPort: server.port,
        insecureWebSocket: true,
        certificateHashes: [target.certificateHash],
      }));
      if (pages === null) throw new Error('the playground was not built: run make build');
      return pages;
    });
    await new Promise<void>((resolve, reject) => {
      started.server.once('error', reject).listen(0, HOST, resolve);
    });
    return started;
  }

  get url(): string {
    return `http://${HOST}:${this.port}/`;
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of this.relayed) socket.destroy();
  }

  /** Hands a WebSocket on as it is, its opening request included. */
  private relay({ url, rawHeaders }: IncomingMessage, page: Duplex): void {
    const { webSocketPort: port, ca } = this.target;
    const gateway: TLSSocket = connect({ host: HOST, port, ca }, () => {
      const headers = rawHeaders.map((text, n) => (n % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      gateway.write(`GET ${url ?? '/'} HTTP/1.1\r\n${headers.join('')}\r\n`);
      page.pipe(gateway).pipe(page);
    });
    for (const [socket, other] of [
      [page, gateway],
      [gateway, page],
    ] as const) {
      this.relayed.add(socket);
      // A side that breaks off ends the other; why, only the gateway could tell.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.relayed.delete(socket);
        other.destroy();
      });
    }
  }
}
