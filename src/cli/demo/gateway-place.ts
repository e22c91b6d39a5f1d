import { freePort, freeTcpPort } from '../../bench/load/free-ports.js';
import { HOST } from './host.js';

/** The ports of a gateway. They stay the same over its restart, so they cannot be left to it. */
interface Ports {
  /** UDP and TCP: WebSocket clients use the same number. */
  readonly quic: number;
  readonly http: number;
  readonly grpc: number;
  readonly metrics: number;
}

/** Where a gateway of a demo is reached: its ports of the loopback address, the same over restarts. */
export class GatewayPlace {
  constructor(readonly ports: Ports) {}

  /** Takes ports that nobody uses. @throws {Error} where there are none. */
  static async take(): Promise<GatewayPlace> {
    return new GatewayPlace({
      quic: await freePort(),
      http: await freeTcpPort(),
      grpc: await freeTcpPort(),
      metrics: await freeTcpPort(),
    });
  }

  get quicAddress(): string {
    return `${HOST}:${this.ports.quic}`;
  }

  get grpcAddress(): string {
    return `${HOST}:${this.ports.grpc}`;
  }

  get httpAddress(): string {
    return `${HOST}:${this.ports.http}`;
  }

  get metricsAddress(): string {
    return `${HOST}:${this.ports.metrics}`;
  }

  /** The lines of a configuration file, from `server:` on, that have a gateway listen here. */
  configuration(): string[] {
    return [
      'server:',
      `  quic_addr: ${this.quicAddress}`,
      `  http_addr: ${this.httpAddress}`,
      `  grpc_addr: ${this.grpcAddress}`,
      `  metrics_addr: ${this.metricsAddress}`,
      '  cert_file: server.crt',
      '  key_file: server.key',
    ];
  }
}
