import type { Link } from '../link/link.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import type { PathProbe, Transport } from '../sdk/client/core/transport.js';

export type Way = 'webtransport' | 'websocket' | 'auto';

/**
 * The network between the page and the gateway, which can be cut and mended, and the choice of how to
 * cross it. The client knows nothing of it: to the client this is a transport like any other.
 */
export class Network implements Transport {
  readonly name = 'the playground';
  way: Way = 'auto';
  private link: Link | null = null;
  private cut = false;

  constructor(private readonly transports: Readonly<Record<Way, Transport>>) {}

  get isCut(): boolean {
    return this.cut;
  }

  async open(address: string, signal: AbortSignal): Promise<Link> {
    if (this.cut) throw new Error('the network is cut');
    this.link = await this.transports[this.way].open(address, signal);
    return this.link;
  }

  probe(link: Link): PathProbe | undefined {
    return this.transports[this.way].probe?.(link);
  }

  /** Ends the connection under way, without a goodbye; what is on its way is lost. */
  drop(): void {
    this.link?.close(ErrorCode.None, 'cut in the playground');
  }

  /** No connection comes about until it is mended. */
  cutOff(): void {
    this.cut = true;
    this.drop();
  }

  mend(): void {
    this.cut = false;
  }
}
