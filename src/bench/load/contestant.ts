import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { OURS, OURS_STREAMING, PEER } from '../report/contestant-names.js';
import { freeTcpPort, freeUdpPort } from './free-ports.js';
import { CLI, GatewayProcess } from './gateway-process.js';
import { MeasuredProcess } from './measured-process.js';

/** A gateway under load, with one upstream behind it. */
export interface Contestant {
  readonly name: string;
  readonly gateway: MeasuredProcess;
  readonly port: number;
  /** Where upstreams register and push; null where there is no such thing. */
  readonly grpcPort: number | null;
  /** The port of the WebSocket edge; null where it is off. */
  readonly wsPort: number | null;
  stop(): Promise<void>;
}

/** How a gateway is started. */
export type Starter = () => Promise<Contestant>;

/** How our gateway calls its upstream; none: whoever measures brings one. */
export type UpstreamPath = 'unary' | 'stream' | 'none';

/**
 * Our gateway with everything that a deployment has, logging as by default.
 * @param path unary: the upstream is configured; stream: one for each zone registers, in one process;
 * none: nothing serves until whoever measures registers an upstream.
 * @param profileFolder where it leaves a CPU profile when it stops; none by default.
 */
export async function startOurs(
  settings: Record<string, string> = {},
  profileFolder?: string,
  path: UpstreamPath = 'unary',
): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), 'gatesvr-bench-'));
  const unary = path === 'unary' ? await startUpstream() : null;
  const flags = {
    ...deploymentFlags(folder),
    ...(unary === null ? {} : { 'server.upstream_addr': `127.0.0.1:${unary.port}` }),
    ...settings,
  };
  await makeCertificates(folder);
  const profiling =
    profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const gateway = new GatewayProcess(flags, profiling);
  const { quic, grpc, webSocket } = await gateway.ports();
  const streaming = path === 'stream' ? await startStreamingUpstream(grpc) : null;
  return {
    name: path === 'stream' ? OURS_STREAMING : OURS,
    gateway,
    port: quic,
    grpcPort: grpc,
    wsPort: webSocket,
    stop: async () => {
      await gateway.stop();
      await (unary?.process ?? streaming)?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What every gateway under load is told: ports of its own, files in `folder`, no limits of rate. */
export function deploymentFlags(folder: string): Record<string, string> {
  return {
    'server.quic_addr': '127.0.0.1:0',
    'server.grpc_addr': '127.0.0.1:0',
    'server.http_addr': '127.0.0.1:0',
    'server.metrics_addr': '127.0.0.1:0',
    'server.cert_file': join(folder, 'server.crt'),
    'server.key_file': join(folder, 'server.key'),
    'server.state_file': join(folder, 'state'),
    'routing.registry_file': 'off',
    'log.format': 'json',
    'overload_protection.max_connections': '200000',
    'overload_protection.max_qps': '0',
  };
}

/** Those that `deploymentFlags` names. */
export async function makeCertificates(folder: string): Promise<void> {
  const certs = new MeasuredProcess(process.execPath, [CLI, 'certs', '--dir', folder]);
  while (certs.alive) await pause(20);
}

/** The lean Go gateway (its README says how to build it), before the same upstream. */
export async function startLeango(folder: string): Promise<Contestant> {
  const upstream = await startUpstream();
  const port = await freeUdpPort();
  const gateway = new MeasuredProcess(join(folder, 'gateway.bin'), [
    '-addr',
    `127.0.0.1:${port}`,
    '-upstream',
    `127.0.0.1:${upstream.port}`,
  ]);
  await pause(500);
  return {
    name: PEER,
    gateway,
    port,
    grpcPort: null,
    wsPort: null,
    stop: async () => {
      await gateway.stop();
      await upstream.process.stop();
    },
  };
}

/** The upstream of all benchmarks, in a process of its own, that no gateway has to know of. */
export async function startUpstream(): Promise<{ process: MeasuredProcess; port: number }> {
  const port = await freeTcpPort();
  const script = join(dirname(fileURLToPath(import.meta.url)), 'echo-upstream.js');
  const upstream = new MeasuredProcess(process.execPath, [script, String(port)]);
  await upstream.waitFor(/listening/);
  return { process: upstream, port };
}

/** Registered for every zone when it resolves. */
async function startStreamingUpstream(grpcPort: number): Promise<MeasuredProcess> {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'echo-upstream.js');
  const upstream = new MeasuredProcess(process.execPath, [script, 'stream', String(grpcPort)]);
  await upstream.waitFor(/listening/);
  return upstream;
}
