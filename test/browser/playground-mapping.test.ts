import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { freePort } from '../../src/bench/load/free-ports.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { BrowserHarness } from './browser-harness.js';
import { describeInChromium } from './chromium.js';

/** One outside port of UDP and TCP that leads to one inside, as `docker run -p` maps them. */
class PortMapping {
  /** TCP connections that came through. */
  connections = 0;
  private readonly open = new Set<Socket>();

  private constructor(
    private readonly udp: UdpProxy,
    private readonly tcp: Server,
    targetPort: number,
  ) {
    tcp.on('connection', (outside) => {
      this.connections++;
      const inside = connect(targetPort, '127.0.0.1');
      for (const [socket, other] of [
        [outside, inside],
        [inside, outside],
      ] as const) {
        this.open.add(socket);
        socket.on('error', () => other.destroy()).on('close', () => this.open.delete(socket));
        socket.pipe(other);
      }
    });
  }

  static async to(targetPort: number): Promise<PortMapping> {
    for (;;) {
      const udp = await UdpProxy.start({ targetPort });
      const tcp = createServer();
      // Another program may have that number of TCP.
      const bound = await new Promise<boolean>((resolve) => {
        tcp.once('error', () => resolve(false));
        tcp.listen(udp.port, '127.0.0.1', () => resolve(true));
      });
      if (bound) return new PortMapping(udp, tcp, targetPort);
      await udp.close();
    }
  }

  get port(): number {
    return this.udp.port;
  }

  /** That came through. */
  get datagrams(): number {
    return this.udp.counters.toServer.forwarded;
  }

  async close(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    this.tcp.close();
    await this.udp.close();
  }
}

describeInChromium('the playground behind a port mapping', () => {
  const harness = new GatewayHarness();
  let mapping: PortMapping;
  let chromium: BrowserHarness;

  beforeAll(async () => {
    const port = await freePort();
    await harness.gateway({
      'server.quic_addr': `127.0.0.1:${port}`,
      'server.ws_addr': `127.0.0.1:${port}`,
      'websocket.playground': 'true',
    });
    mapping = await PortMapping.to(port);
    chromium = await BrowserHarness.start(new Map(), ['--ignore-certificate-errors']);
  });

  afterAll(async () => {
    await chromium.close();
    await mapping.close();
    await harness.close();
  });

  test('connects through it, over WebTransport and over WebSocket', async () => {
    const { page, problems } = await chromium.open('/', `https://127.0.0.1:${mapping.port}`);
    const connected = (transport: string) =>
      page.waitForFunction(
        `document.getElementById('state').textContent === 'connected' &&
          document.getElementById('transport').textContent === '${transport}'`,
        { polling: 'mutation' },
      );
    await connected('WebTransport');
    expect(mapping.datagrams).toBeGreaterThan(0);
    const before = mapping.connections;
    await page.click('#switch');
    await connected('WebSocket');
    expect(mapping.connections).toBeGreaterThan(before);
    expect(problems).toEqual([]);
    await page.close();
  });
});
