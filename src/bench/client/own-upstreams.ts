import { isLoopbackHost, parseAddress } from '../../base/address.js';
import { CodedError } from '../../base/errors.js';
import { ZONES } from '../../routing/zone.js';
import { UpstreamServer } from '../../sdk/upstream/index.js';
import type { GatewayAccess } from '../../sdk/upstream/index.js';

/** Upstreams of this process, one for each zone, that answer every request with its data. */
export class OwnUpstreams {
  private readonly servers: readonly UpstreamServer[];

  /**
   * @param gateway gRPC address of the gateway that they register at.
   * @param timeout how long all registrations may take, ms.
   */
  constructor(
    private readonly gateway: string,
    access: GatewayAccess,
    private readonly timeout: number,
  ) {
    const local = isLoopbackHost(parseAddress(gateway)?.host ?? '');
    this.servers = ZONES.map((zone) =>
      new UpstreamServer({
        zone,
        serviceName: 'gatesvr-bench',
        // Without a host the gateway calls back where the registration came from.
        listen: local ? '127.0.0.1:0' : ':0',
        gateways: [gateway],
        access,
      }).fallback(({ data }) => ({ data })),
    );
  }

  /** Resolves when all are registered. @throws {CodedError} where one cannot listen or register. */
  async start(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = this.timeout / 1000;
      const message = `cannot register at ${this.gateway} within ${seconds} s; is it the gateway's gRPC address?`;
      timer = setTimeout(() => reject(new CodedError('UNREACHABLE', message)), this.timeout);
    });
    const registered = Promise.all(this.servers.map((server) => server.start()));
    await Promise.race([registered, late]).finally(() => clearTimeout(timer));
  }

  /** Takes them out of the gateway and closes them. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.drain().catch(() => undefined)));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}
