import { X509Certificate, createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';
import { writeCertificates } from '../../src/config/certificates.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { zoneOf } from '../../src/routing/zone.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { ErrorCode } from '../../src/wire/error-catalogue.js';
import { GatewayHarness } from '../support/gateway-harness.js';
import { PATIENT_CLIENT } from '../support/patience.js';
import { BrowserHarness } from './browser-harness.js';
import type { OpenPage } from './browser-harness.js';
import { pageWith, script } from './page-server.js';
import type { PageFile } from './page-server.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** As long as browsers allow for a certificate that a page names by its hash. */
const CERTIFICATE_DAYS = 14;

/** Everybody's zone: one upstream serves it. */
const ZONE = zoneOf('alice');

/** What a client's page tells of it. */
export interface ClientStory {
  readonly transport: string;
  readonly sessionId: string;
  readonly state: string;
  readonly log: string[];
  readonly pushes: { seq: number; title: string }[];
}

/** A gateway behind a UDP proxy, an upstream that echoes, and Chromium with a page that has the SDK. */
export class SdkWorld {
  /** SHA-256 of the gateway's certificate, hex. */
  readonly certificateHash: string;

  private constructor(
    private readonly folder: string,
    readonly harness: GatewayHarness,
    readonly gateway: Gateway,
    readonly upstream: UpstreamServer,
    readonly proxy: UdpProxy,
    readonly chromium: BrowserHarness,
    /** What the upstream has executed. */
    readonly executed: readonly string[],
  ) {
    this.certificateHash = hashOf(join(folder, 'server.crt'));
  }

  static async start(): Promise<SdkWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'gatesvr-browser-'));
    const { certFile, keyFile } = await writeCertificates(folder, { days: CERTIFICATE_DAYS });
    const harness = new GatewayHarness();
    const executed: string[] = [];
    const gateway = await harness.gateway({
      'server.ws_addr': '127.0.0.1:0',
      'server.cert_file': certFile,
      'server.key_file': keyFile,
    });
    const upstream = await harness.upstream(gateway, ZONE, (server) =>
      server.fallback((request) => {
        executed.push(request.text);
        return request.data;
      }),
    );
    const proxy = await UdpProxy.start({ targetPort: gateway.quicPort });
    const chromium = await BrowserHarness.start(
      new Map([
        ['/sdk', pageWith('/sdk-page.js')],
        ['/docs', documentedPage(proxy.port, gateway.wsPort, hashOf(certFile))],
        ['/token', { type: 'text/plain', body: 'a token' }],
        ['/sdk-page.js', script(readFileSync(here('sdk-page.js')))],
        ['/gatesvr.js', script(readFileSync(here('../../dist/browser/gatesvr.js')))],
      ]),
      [trusting(readFileSync(certFile))],
    );
    return new SdkWorld(folder, harness, gateway, upstream, proxy, chromium, executed);
  }

  /** Openids that the upstream serves. */
  openids(count: number): string[] {
    const found: string[] = [];
    for (let n = 0; found.length < count; n++) {
      if (zoneOf(`user-${n}`) === ZONE) found.push(`user-${n}`);
    }
    return found;
  }

  /** What every client is given: UDP goes through the proxy, TCP to the gateway itself. */
  options(more: object = {}): string {
    return JSON.stringify({
      ...PATIENT_CLIENT,
      address: `127.0.0.1:${this.proxy.port}`,
      webSocketPort: this.gateway.wsPort,
      certificateHashes: [this.certificateHash],
      minDelayMs: 10,
      maxDelayMs: 50,
      ...more,
    });
  }

  open(): Promise<OpenPage> {
    return this.chromium.open('/sdk');
  }

  /** Connects a client on a page; see sdk-page.js. */
  async connect(page: Page, openid: string, more: object = {}): Promise<ClientStory> {
    return (await page.evaluate(`app.connect("${openid}", ${this.options(more)})`)) as ClientStory;
  }

  async tell(page: Page, openid: string): Promise<ClientStory> {
    return (await page.evaluate(`app.tell("${openid}")`)) as ClientStory;
  }

  async ask(page: Page, openid: string, ...texts: string[]): Promise<string[]> {
    const given = JSON.stringify([openid, ...texts]);
    return (await page.evaluate(`app.ask(...${given})`)) as string[];
  }

  /** Ends a client's connection from the gateway's side; the session waits. */
  drop(openid: string): void {
    const session = this.gateway.sessions.registry.findByOpenid(openid);
    session?.currentChannel?.drop(ErrorCode.Overloaded, '');
  }

  async close(): Promise<void> {
    await this.chromium.close();
    await this.proxy.close();
    await this.harness.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function hashOf(certFile: string): string {
  const certificate = new X509Certificate(readFileSync(certFile));
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** The page of docs/BROWSER-SDK.md, at this gateway. */
function documentedPage(port: number, webSocketPort: number, hash: string): PageFile {
  const text = readFileSync(here('../../docs/BROWSER-SDK.md'), 'utf8');
  const [, html = ''] = /```html\n([^]*?)```/.exec(text) ?? [];
  const body = html
    .replace('gateway.example:8453', `127.0.0.1:${port}`)
    .replace('token:', `webSocketPort: ${webSocketPort}, certificateHashes: ['${hash}'], token:`);
  return { type: 'text/html', body };
}

/** The flag by which Chromium takes a certificate for one that it knows: WebSockets name no hash. */
function trusting(pem: Buffer): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256').update(key).digest('base64');
  return `--ignore-certificate-errors-spki-list=${hash}`;
}
