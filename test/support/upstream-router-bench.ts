import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { ZoneRouter } from '../../src/routing/zone-router.js';
import type { ZoneRouterOptions } from '../../src/routing/zone-router.js';
import type { InstanceView } from '../../src/routing/router-view.js';
import type { DeregistrationResult } from '../../src/upstream/deregistration.js';
import type { RegistrationResult } from '../../src/upstream/registration-sink.js';
import { FakeClock } from './fake-clock.js';
import { FakeNetwork } from './upstream-fake-caller.js';

/** A router with a clock and a network that the test moves by hand. */
export class RouterBench {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork(this.clock);
  readonly metrics = new Metrics();
  readonly router: ZoneRouter;

  constructor(private readonly options: ZoneRouterOptions = {}) {
    const { clock, metrics, network } = this;
    this.router = new ZoneRouter(
      clock,
      silentLogger(),
      metrics.upstream,
      network.makeCaller,
      options,
    );
  }

  /** Registers; fails the test where the answer does not come before the next turn, unless it is kept in a file. */
  async register(
    address: string,
    zoneId = '001',
    peer = '10.9.9.9:1',
  ): Promise<RegistrationResult> {
    return new Promise((resolve, reject) => {
      const request = { address, zoneId, serviceName: 'service', capabilities: [], peer };
      this.router.register(request, resolve);
      if (this.options.registryFile !== undefined) return;
      setImmediate(() => setImmediate(() => reject(new Error('no answer to the registration'))));
    });
  }

  /** As register, for leaving. */
  async deregister(address: string, zoneId = '001'): Promise<DeregistrationResult> {
    return new Promise((resolve, reject) => {
      this.router.deregister({ address, zoneId, peer: '10.9.9.9:1' }, resolve);
      if (this.options.registryFile !== undefined) return;
      setImmediate(() => setImmediate(() => reject(new Error('no answer to the deregistration'))));
    });
  }

  view(address: string): InstanceView | undefined {
    const { zones, fallback } = this.router.view();
    const all = zones.flatMap((zone) => zone.instances);
    if (fallback !== null) all.push(fallback);
    return all.find((instance) => instance.address === address);
  }

  rejected(reason: string): number {
    return this.metrics.upstream.rejected.of(reason).value;
  }
}
