import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MeasuredProcess } from './measured-process.js';

/** The program `gatesvr` as it was built, also where this runs from the sources. */
export const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** Ports of the loopback address; 0 takes any. */
export interface GatewayPorts {
  readonly quic: number;
  readonly grpc: number;
}

/** Configuration keys and their values. */
export type Settings = Readonly<Record<string, string>>;

/**
 * A gateway on the loopback address that has clients and upstreams, and neither listens for anybody
 * else nor keeps anything over a restart but its keys.
 * @param folder where its certificates are.
 */
export function bareSettings(
  folder: string,
  { quic, grpc }: GatewayPorts = { quic: 0, grpc: 0 },
): Settings {
  return {
    'server.quic_addr': `127.0.0.1:${quic}`,
    'server.grpc_addr': `127.0.0.1:${grpc}`,
    'server.http_addr': 'off',
    'server.metrics_addr': 'off',
    'server.ws_addr': 'off',
    'server.state_file': 'off',
    'server.cert_file': join(folder, 'server.crt'),
    'server.key_file': join(folder, 'server.key'),
    'quic.retry_key_file': join(folder, 'gateway.keys'),
    'routing.registry_file': 'off',
    'log.format': 'json',
  };
}

/** Our gateway in a process of its own, configured by flags alone. */
export class GatewayProcess extends MeasuredProcess {
  /** @param nodeOptions for Node, in front of the program. */
  constructor(settings: Settings, nodeOptions: readonly string[] = []) {
    const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    super(process.execPath, [...nodeOptions, CLI, 'serve', ...sets]);
  }

  /** Waits until it listens. @throws {Error} with its output, where it never does. */
  async ports(): Promise<GatewayPorts & { readonly webSocket: number | null }> {
    const told = /"quic":(\d+)(?:.*"webSocket":(\d+))?.*"grpc":(\d+)[,}]/;
    const [, quic, webSocket, grpc] = await this.waitFor(told);
    const webSocketPort = webSocket === undefined ? null : Number(webSocket);
    return { quic: Number(quic), grpc: Number(grpc), webSocket: webSocketPort };
  }
}
