import { fileURLToPath } from 'node:url';
import { Metadata, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ChannelCredentials, Client, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { PATIENCE_MS } from './patience.js';

const proto = (name: string): string =>
  fileURLToPath(new URL(`../../proto/${name}`, import.meta.url));

const loaded = loadPackageDefinition(
  loadSync([proto('upstream.proto'), proto('health.proto')], { keepCase: true, defaults: true }),
) as unknown as {
  gatesvr: { proto: { GatewayService: ServiceClientConstructor } };
  grpc: { health: { v1: { Health: ServiceClientConstructor } } };
};

type Call = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: Error | null, response: Record<string, unknown>) => void,
) => void;

/** A client of the gateway's gRPC port as anyone would generate it, with TLS and a secret if given. */
export class GatewayApi {
  private readonly clients: { gateway: Client; health: Client };
  private readonly metadata = new Metadata();

  constructor(address: string, tls: ChannelCredentials | null = null, secret?: string) {
    const { GatewayService } = loaded.gatesvr.proto;
    const { Health } = loaded.grpc.health.v1;
    const how = tls ?? credentials.createInsecure();
    this.clients = { gateway: new GatewayService(address, how), health: new Health(address, how) };
    if (secret !== undefined) this.metadata.set('authorization', `Bearer ${secret}`);
  }

  /** Calls a method of GatewayService. @throws the gRPC error. */
  call(method: string, request: unknown): Promise<Record<string, unknown>> {
    return this.unary(this.clients.gateway, method, request);
  }

  check(service = ''): Promise<Record<string, unknown>> {
    return this.unary(this.clients.health, 'Check', { service });
  }

  /** Watches the health; hears every status. */
  watch(onStatus: (status: unknown) => void): { ended: Promise<void>; cancel(): void } {
    const watch = this.clients.health as unknown as {
      Watch(request: unknown): NodeJS.EventEmitter & { cancel(): void };
    };
    const stream = watch.Watch({ service: '' });
    stream.on('data', ({ status }: { status: unknown }) => onStatus(status));
    const ended = new Promise<void>((resolve) => {
      stream.on('end', resolve);
      stream.on('error', () => resolve());
    });
    return { ended, cancel: () => stream.cancel() };
  }

  close(): void {
    this.clients.gateway.close();
    this.clients.health.close();
  }

  private unary(client: Client, method: string, request: unknown) {
    const run = (client as unknown as Record<string, Call>)[method] as Call;
    return new Promise<Record<string, unknown>>((resolve, reject) => {
      const options = { deadline: Date.now() + PATIENCE_MS };
      run.call(client, request, this.metadata, options, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }
}
