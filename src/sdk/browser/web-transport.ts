import { messageOf } from '../../base/errors.js';
import type { Clock } from '../../base/clock.js';
import type { Link, LinkClosed } from '../../link/link.js';
import { StreamLink } from '../../link/stream-link.js';
import { describeError } from '../../wire/error-catalogue.js';
import { WS_PATH } from '../../websocket/ws-endpoint.js';
import { HoldingClock } from '../client/core/holding-clock.js';
import type { PathProbe, Transport } from '../client/core/transport.js';
import { targetOf } from '../client/gateway-address.js';
import { formatAddress } from '../../base/address.js';
import { certificateHashes } from './certificate-hash.js';
import { thisPlatform } from './platform.js';
import type { CertificateHash, Platform, PlatformWebTransport } from './platform.js';
import { WebTransportStream } from './web-transport-stream.js';

/** A close reason has 1024 bytes at most; the API throws above that. */
const MAX_REASON_BYTES = 1_024;

export interface WebTransportOptions {
  /**
   * For development: SHA-256 of the certificates to accept without an authority, as hex, base64
   * or bytes. Browsers take only ECDSA certificates of at most 14 days this way.
   */
  readonly certificateHashes?: readonly (string | Uint8Array)[];
  /** For tests. */
  readonly platform?: Platform;
}

/** Reaches the gateway over WebTransport: QUIC for pages, on the gateway's UDP port. */
export class WebTransportTransport implements Transport {
  readonly name = 'WebTransport';
  private readonly clock: Clock = new HoldingClock();
  private readonly platform: Platform;
  private readonly hashes: readonly CertificateHash[];
  private readonly probes = new WeakMap<Link, PathProbe>();

  /** @throws {RangeError} where a certificate hash is malformed. */
  constructor(options: WebTransportOptions = {}) {
    this.platform = options.platform ?? thisPlatform();
    this.hashes = certificateHashes(options.certificateHashes ?? []);
  }

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const { WebTransport } = this.platform;
    if (WebTransport === undefined) throw new Error('this page has no WebTransport');
    const { host, port } = targetOf(address);
    const where = formatAddress(host, port);
    const { hashes } = this;
    const session = new WebTransport(
      `https://${where}${WS_PATH}`,
      hashes.length === 0 ? {} : { serverCertificateHashes: hashes },
    );
    // Whoever awaits `ready` hears of it.
    session.closed.catch(() => undefined);
    const onAbort = (): void => session.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await session.ready;
      return await this.linkOver(session, where);
    } catch (error) {
      session.close();
      throw new Error(`no WebTransport to ${where}: ${messageOf(error)}`, { cause: error });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  probe(link: Link): PathProbe | undefined {
    return this.probes.get(link);
  }

  private async linkOver(session: PlatformWebTransport, where: string): Promise<Link> {
    const stream = new WebTransportStream(await session.createBidirectionalStream());
    const carrier = {
      remoteAddress: where,
      close: (code: number, reason: string) =>
        session.close({ closeCode: code, reason: shortened(reason) }),
    };
    const link = new StreamLink('webtransport', stream, carrier, this.clock);
    session.closed.then(
      (info) => link.connectionClosed(closedBy(info)),
      (error: unknown) =>
        link.connectionClosed({ code: 0, reason: messageOf(error) || 'lost', by: 'loss' }),
    );
    this.probes.set(link, { arrivals: () => stream.arrivedBytes });
    return link;
  }
}

function closedBy({
  closeCode = 0,
  reason = '',
}: {
  closeCode?: number;
  reason?: string;
}): LinkClosed {
  const known = describeError(closeCode) === undefined ? 0 : closeCode;
  return { code: known, reason: reason || 'peer closed', by: 'peer' };
}

function shortened(reason: string): string {
  // A unit of UTF-16 has three bytes of UTF-8 at most.
  return reason.slice(0, MAX_REASON_BYTES / 3);
}
