import { GatewayClientCore } from './core/gateway-client-core.js';
import type { CoreClientOptions } from './core/options.js';
import type { Transport } from './core/transport.js';
import { QuicTransport } from './quic-transport.js';
import type { QuicTransportOptions } from './quic-transport.js';

export interface GatewayClientOptions extends CoreClientOptions, QuicTransportOptions {
  /** Another way to the gateway than QUIC. */
  readonly transport?: Transport;
}

/**
 * The gateway's client for Node, over QUIC:
 *
 *     const client = new GatewayClient({ address: 'gateway.example:8453', openid: 'alice', token });
 *     client.onPush((push) => console.log(push.type, push.content));
 *     await client.connect();
 *     const answer = await client.request('echo', { data: 'hello' });
 *     await client.stop();
 */
export class GatewayClient extends GatewayClientCore {
  /** @throws {RangeError} that names the option which cannot be. */
  constructor(options: GatewayClientOptions) {
    super(options, options.transport ?? new QuicTransport(options));
  }
}
