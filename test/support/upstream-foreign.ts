/**
 * Upstreams as others write them: grpc-js with definitions loaded from proto/*.proto, nothing of the
 * gateway's own code. Field names are those of the proto file.
 */
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type {
  Client,
  ServerUnaryCall,
  ServiceClientConstructor,
  ServiceError,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { freeTcpPort } from '../../src/bench/load/free-ports.js';

const proto = (name: string): string =>
  fileURLToPath(new URL(`../../proto/${name}`, import.meta.url));

const loaded = loadPackageDefinition(
  loadSync([proto('upstream.proto'), proto('health.proto')], {
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
  }),
) as unknown as {
  gatesvr: {
    proto: {
      UpstreamService: ServiceClientConstructor;
      GatewayService: ServiceClientConstructor;
    };
  };
  grpc: { health: { v1: { Health: ServiceClientConstructor } } };
};

export interface ForeignRequest {
  session_id: string;
  openid: string;
  action: string;
  params: Record<string, string>;
  data: Buffer;
  headers: Record<string, string>;
  client_seq_id: string;
}

export interface ForeignResponse {
  code?: number;
  message?: string;
  data?: Buffer;
  headers?: Record<string, string>;
  client_seq_id?: number;
}

/** null: never answers. */
export type ForeignHandler = (request: ForeignRequest) => Promise<ForeignResponse> | null;

export interface ForeignOptions {
  /** Default: code 200, the data back. */
  process?: ForeignHandler;
  /** Bytes to send in place of a response message. */
  rawResponse?: Buffer;
  /** Default true. */
  servesStatus?: boolean;
  /** Serves grpc.health.v1 and says so; by default it is not served. */
  health?: 'SERVING' | 'NOT_SERVING';
}

/** An upstream server of its own port. */
export class ForeignUpstream {
  readonly requests: ForeignRequest[] = [];
  readonly probes: string[] = [];
  private server: Server | null = null;
  private boundPort = 0;

  constructor(public options: ForeignOptions = {}) {}

  get address(): string {
    return `127.0.0.1:${this.boundPort}`;
  }

  get port(): number {
    return this.boundPort;
  }

  /** Listens; a second time on the same port. */
  async start(host = '127.0.0.1'): Promise<this> {
    const server = new Server({ 'grpc.max_receive_message_length': 8 * 1_048_576 });
    const process = (
      call: ServerUnaryCall<ForeignRequest, ForeignResponse>,
      done: sendUnaryData<ForeignResponse>,
    ): void => this.process(call.request, done);
    const implementation: UntypedServiceImplementation = { ProcessRequest: process };
    if (this.options.servesStatus !== false) implementation['GetStatus'] = this.status();
    server.addService(this.definition(), implementation);
    const { health } = this.options;
    if (health !== undefined) {
      server.addService(loaded.grpc.health.v1.Health.service, {
        Check: (_: unknown, done: sendUnaryData<unknown>) => {
          this.probes.push('Check');
          done(null, { status: health });
        },
      });
    }
    // Not one that the system gives to somebody else while this server is dead.
    if (this.boundPort === 0) this.boundPort = await freeTcpPort();
    this.boundPort = await new Promise<number>((resolve, reject) => {
      server.bindAsync(
        `${host}:${this.boundPort}`,
        ServerCredentials.createInsecure(),
        (error, port) => (error === null ? resolve(port) : reject(error)),
      );
    });
    this.server = server;
    return this;
  }

  /** Dies: connections break, the port is free. */
  kill(): void {
    this.server?.forceShutdown();
    this.server = null;
  }

  private definition(): typeof loaded.gatesvr.proto.UpstreamService.service {
    const { service } = loaded.gatesvr.proto.UpstreamService;
    const { rawResponse } = this.options;
    const definition = { ...service };
    const method = definition['ProcessRequest'];
    if (rawResponse !== undefined && method !== undefined) {
      definition['ProcessRequest'] = { ...method, responseSerialize: () => rawResponse };
    }
    return definition;
  }

  private process(request: ForeignRequest, done: sendUnaryData<ForeignResponse>): void {
    this.requests.push(request);
    const { process } = this.options;
    if (process === undefined) {
      done(null, { code: 200, message: this.address, data: request.data });
      return;
    }
    process(request)?.then(
      (response) => done(null, response),
      (error: unknown) => done(error as ServiceError),
    );
  }

  private status() {
    return (_: unknown, done: sendUnaryData<unknown>): void => {
      this.probes.push('GetStatus');
      done(null, { status: 'healthy', uptime: 1, active_connections: 0, metadata: {} });
    };
  }
}

/** What a foreign upstream calls the gateway with. */
export class ForeignGatewayClient {
  private readonly client: Client;

  constructor(address: string) {
    this.client = new loaded.gatesvr.proto.GatewayService(address, credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
    });
  }

  /** Calls a method; rejects with the gRPC error. */
  call(
    method: 'PushToClient' | 'BroadcastToClients' | 'RegisterUpstream',
    request: Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    type Stub = Record<
      string,
      (
        request: unknown,
        done: (error: ServiceError | null, value: Record<string, unknown>) => void,
      ) => void
    >;
    return new Promise((resolve, reject) => {
      (this.client as unknown as Stub)[method]?.call(this.client, request, (error, value) =>
        error === null ? resolve(value) : reject(error),
      );
    });
  }

  close(): void {
    this.client.close();
  }
}
