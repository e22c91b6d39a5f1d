import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, Server, ServiceDefinition } from '@grpc/grpc-js';
import { StartupError, messageOf } from '../base/errors.js';
import type { ResponseStream, StreamCall, StreamMethod } from './server-method.js';

/** Where the descriptions of the services are, in the sources and in the package alike. */
const PROTO_FOLDER = fileURLToPath(new URL('../../proto/', import.meta.url));
const PROTO_FILES = ['upstream.proto', 'health.proto'];

type Reflected = MethodDefinition<unknown, unknown>;
type Handler = (call: ReflectedCall) => void;

/**
 * Serves grpc.reflection (v1 and v1alpha), so that grpcurl and its like need no proto files.
 * @param services full names of the services to tell of.
 * @throws {StartupError} NO_DESCRIPTIONS where the proto files are missing from the installation.
 */
export async function reflectionMethods(services: readonly string[]): Promise<StreamMethod[]> {
  // The libraries take long to load, and only the gateway's port needs them.
  const { loadSync } = await import('@grpc/proto-loader');
  const { ReflectionService } = await import('@grpc/reflection');
  const collector = new MethodCollector();
  try {
    const definition = loadSync(PROTO_FILES, { includeDirs: [PROTO_FOLDER], keepCase: true });
    const service = new ReflectionService(definition, { services: [...services] });
    service.addToServer(collector as unknown as Server);
  } catch (error) {
    const advice = 'install the package whole, or set grpc.reflection: false';
    const message = `cannot read the service descriptions in ${PROTO_FOLDER}: ${advice}`;
    throw new StartupError('NO_DESCRIPTIONS', `${message} (${messageOf(error)})`, { cause: error });
  }
  return collector.methods;
}

/** What @grpc/reflection sees of a server: takes its methods, all of which are streams. */
class MethodCollector {
  readonly methods: StreamMethod[] = [];

  addService(service: ServiceDefinition, handlers: Readonly<Record<string, Handler>>): void {
    for (const [name, method] of Object.entries(service)) {
      const handler = handlers[name] ?? handlers[method.originalName ?? ''];
      if (handler === undefined) continue;
      this.methods.push({
        path: method.path,
        open: (responses) => {
          const call = new ReflectedCall(responses, method as Reflected);
          handler(call);
          return call;
        },
      });
    }
  }
}

/** A call as @grpc/reflection sees it: a stream of grpc-js, as far as it uses one. */
class ReflectedCall extends EventEmitter implements StreamCall {
  constructor(
    private readonly responses: ResponseStream,
    private readonly method: Reflected,
  ) {
    super();
  }

  write(response: unknown): void {
    const goesOn = this.responses.write(this.method.responseSerialize(response));
    if (!goesOn) this.responses.pause();
  }

  end(): void {
    this.responses.end();
  }

  onMessage(request: Uint8Array): void {
    this.emit('data', this.method.requestDeserialize(Buffer.from(request)));
  }

  onHalfClose(): void {
    this.emit('end');
  }

  onDrain(): void {
    this.responses.resume();
  }

  onClosed(): void {
    this.removeAllListeners();
  }
}
