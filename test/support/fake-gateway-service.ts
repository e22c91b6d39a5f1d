import type { GrpcServer } from '../../src/grpc/grpc-server.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import { deregisterMethod } from '../../src/upstream/deregistration.js';
import type {
  DeregistrationRequest,
  DeregistrationResult,
} from '../../src/upstream/deregistration.js';
import { GatewayService } from '../../src/upstream/gateway-service.js';
import { pushBatchMethod } from '../../src/upstream/push-batch.js';
import type { PushResult } from '../../src/upstream/push-sink.js';
import type {
  RegistrationRequest,
  RegistrationResult,
} from '../../src/upstream/registration-sink.js';
import { silentLogger } from '../../src/telemetry/log.js';
import type { BroadcastRequest, UnicastPushRequest } from '../../src/wire/messages.js';

/** The gateway's gRPC side with scripted answers: records registrations and their ends, pushes and broadcasts. */
export class FakeGatewayService {
  readonly registrations: RegistrationRequest[] = [];
  readonly deregistrations: DeregistrationRequest[] = [];
  readonly pushes: UnicastPushRequest[] = [];
  readonly broadcasts: BroadcastRequest[] = [];
  sentCount = 1;
  onRegister: (request: RegistrationRequest) => RegistrationResult = () => ({
    success: true,
    message: 'registered',
    errorCode: '',
  });
  /** Null: the push is never answered. */
  onPush: (push: UnicastPushRequest) => PushResult | Promise<PushResult> | null = () => ({
    success: true,
    message: '',
    errorCode: '',
  });
  private readonly server: GrpcServer;

  private constructor(port: number) {
    const pushes = {
      push: (push: UnicastPushRequest, done: (result: PushResult) => void) => {
        this.pushes.push(push);
        const result = this.onPush(push);
        if (result !== null) void Promise.resolve(result).then(done);
      },
      refused: () => undefined,
      broadcast: (request: BroadcastRequest, done: (sent: number, message: string) => void) => {
        this.broadcasts.push(request);
        done(this.sentCount, '');
      },
    };
    const registrations = {
      knowsZone: () => true,
      register: (request: RegistrationRequest, done: (result: RegistrationResult) => void) => {
        this.registrations.push(request);
        done(this.onRegister(request));
      },
    };
    const deregister = (
      request: DeregistrationRequest,
      done: (result: DeregistrationResult) => void,
    ) => {
      this.deregistrations.push(request);
      done({ success: true, message: 'deregistered', errorCode: '' });
    };
    const log = silentLogger();
    const methods = [
      ...new GatewayService(pushes, registrations, log).methods(),
      pushBatchMethod(pushes, log),
      deregisterMethod({ deregister }, log),
    ];
    this.server = grpcServer({ address: `127.0.0.1:${port}`, graceMs: 50 }, methods);
  }

  get address(): string {
    return `127.0.0.1:${this.server.port}`;
  }

  static async start(port = 0): Promise<FakeGatewayService> {
    const service = new FakeGatewayService(port);
    await service.server.start();
    return service;
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}
