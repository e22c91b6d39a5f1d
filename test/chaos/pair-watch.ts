import type { GatewayPlace } from '../../src/cli/demo/gateway-place.js';
import type { GatewayNode } from './gateway-node.js';
import type { History } from './history.js';

/** How often each gateway is asked, and how long it may take to answer, ms: it may be stopped. */
const ASK_MS = 100;
const ANSWER_MS = 1_000;

/** What one gateway of a pair says of itself. */
export interface NodeReport {
  /** GET /ready: it takes clients. */
  readonly ready: boolean;
  readonly inSync: boolean;
  readonly degraded: boolean;
  readonly epoch: number;
  /** It takes itself for the primary, whether it may serve or not. */
  readonly primary: boolean;
}

/** Asks both gateways again and again what they are, as a load balancer and a monitor would. */
export class PairWatch {
  /** Null for one that does not answer. */
  readonly reports: (NodeReport | null)[];
  private readonly loops: Promise<void>[];
  private on = true;

  /** @param heard after every round of every gateway. */
  constructor(
    nodes: readonly GatewayNode[],
    private readonly history: History,
    private readonly heard: () => void,
  ) {
    this.reports = nodes.map(() => null);
    this.loops = nodes.map((node, index) => this.watch(node, index));
  }

  /** The gateway that takes clients, by the highest epoch; null where none says so. */
  get primary(): number | null {
    let best: number | null = null;
    this.reports.forEach((report, index) => {
      if (report?.ready !== true) return;
      if (best === null || report.epoch > (this.reports[best]?.epoch ?? 0)) best = index;
    });
    return best;
  }

  /** Whether one serves, its standby may take over, and success means what it should. */
  get whole(): boolean {
    const { primary, reports } = this;
    if (primary === null) return false;
    const [one = null, other = null] = [reports[primary], reports[1 - primary]];
    if (one === null || other === null || other.ready) return false;
    return one.inSync && other.inSync && !one.degraded && one.epoch === other.epoch;
  }

  async stop(): Promise<void> {
    this.on = false;
    await Promise.all(this.loops);
  }

  private async watch(node: GatewayNode, index: number): Promise<void> {
    while (this.on) {
      const askedAt = this.history.now;
      const report = await ask(node.place).catch(() => null);
      this.reports[index] = report;
      if (report !== null) {
        const { epoch, primary } = report;
        this.history.add({ kind: 'role', node: node.name, primary, epoch, askedAt });
      }
      this.heard();
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  }
}

async function ask({ httpAddress, metricsAddress }: GatewayPlace): Promise<NodeReport> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const ready = await fetch(`http://${httpAddress}/ready`, { signal });
  await ready.arrayBuffer();
  const metrics = await fetch(`http://${metricsAddress}/metrics`, { signal });
  const text = await metrics.text();
  const value = (name: string): number => {
    const found = new RegExp(`^gatesvr_replication_${name} (\\S+)$`, 'm').exec(text);
    return Number(found?.[1] ?? 0);
  };
  return {
    ready: ready.status === 200,
    inSync: value('in_sync') === 1,
    degraded: value('degraded') === 1,
    epoch: value('epoch'),
    primary: value('primary') === 1,
  };
}
