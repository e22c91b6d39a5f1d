import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, Server, ServiceDefinition } from '@grpc/grpc-js';
import { StartupError } from '../base/errors.js';
import { memoised } from '../base/lifecycle.js';
import { SHORT_REQUEST_BYTES } from './server-method.js';
import type { ResponseStream, StreamCall, StreamMethod } from './server-method.js';
import { GrpcStatus } from './unary-caller.js';

/** Where the descriptions of the services are, in the sources and in the package alike. */
const PROTO_FOLDER = fileURLToPath(new URL('../../proto/', import.meta.url));
const PROTO_FILES = ['upstream.proto', 'health.proto'];
const PATHS = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);
/** Calls at once: people who look around. Anyone may ask, and what a call has not read of its answers is kept. */
const MAX_CALLS = 64;

/** A method of @grpc/reflection: how its messages are read and written, and who answers them. */
interface Reflected {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handle: (call: ReflectedCall) => void;
}

/**
 * Serves grpc.reflection (v1 and v1alpha), so that grpcurl and its like need no proto files. The libraries for it
 * take long to load, so that they are when somebody asks.
 * @param services full names of the services to tell of.
 * @throws {StartupError} NO_DESCRIPTIONS where the proto files are missing from the installation.
 */
export function reflectionMethods(services: readonly string[]): StreamMethod[] {
  const missing = PROTO_FILES.find((file) => !existsSync(join(PROTO_FOLDER, file)));
  if (missing !== undefined) {
    const advice = 'install the package whole, or set grpc.reflection: false';
    throw new StartupError('NO_DESCRIPTIONS', `${PROTO_FOLDER}${missing} is missing: ${advice}`);
  }
  const load = memoised(() => loadMethods(services));
  const calls = new Set<ReflectedCall>();
  return PATHS.map((path) => ({
    path,
    maxRequestBytes: SHORT_REQUEST_BYTES,
    open: (responses) => {
      const loading = load().then((methods) => methods.get(path));
      const call = new ReflectedCall(responses, loading, () => calls.delete(call));
      if (calls.size < MAX_CALLS) calls.add(call);
      else responses.end(GrpcStatus.RESOURCE_EXHAUSTED, 'too many reflection calls');
      return call;
    },
  }));
}

async function loadMethods(services: readonly string[]): Promise<Map<string, Reflected>> {
  const { loadSync } = await import('@grpc/proto-loader');
  const { ReflectionService } = await import('@grpc/reflection');
  const definition = loadSync(PROTO_FILES, { includeDirs: [PROTO_FOLDER], keepCase: true });
  const collector = new MethodCollector();
  const service = new ReflectionService(definition, { services: [...services] });
  service.addToServer(collector as unknown as Server);
  return collector.methods;
}

/** What @grpc/reflection sees of a server: takes its methods, all of which are streams. */
class MethodCollector {
  readonly methods = new Map<string, Reflected>();

  addService(
    service: ServiceDefinition,
    handlers: Readonly<Record<string, Reflected['handle']>>,
  ): void {
    for (const [name, definition] of Object.entries(service)) {
      const handle = handlers[name];
      if (handle !== undefined) this.methods.set(definition.path, { definition, handle });
    }
  }
}

/** A call as @grpc/reflection sees it: a stream of grpc-js, as far as it uses one. */
class ReflectedCall extends EventEmitter implements StreamCall {
  private method: Reflected | null = null;

  /** @param loading what answers it; undefined where the library does not serve this version. */
  constructor(
    private readonly responses: ResponseStream,
    loading: Promise<Reflected | undefined>,
    private readonly forget: () => void,
  ) {
    super();
    responses.pause();
    loading
      .then((method) => this.begin(method))
      .catch(() => responses.end(GrpcStatus.INTERNAL, 'the service descriptions cannot be read'));
  }

  write(response: unknown): void {
    const bytes = this.method?.definition.responseSerialize(response);
    if (bytes !== undefined && !this.responses.write(bytes)) this.responses.pause();
  }

  end(): void {
    this.responses.end();
  }

  onMessage(request: Uint8Array): void {
    this.emit('data', this.method?.definition.requestDeserialize(Buffer.from(request)));
  }

  onHalfClose(): void {
    this.emit('end');
  }

  onDrain(): void {
    this.responses.resume();
  }

  onClosed(): void {
    this.forget();
    this.removeAllListeners();
  }

  private begin(method: Reflected | undefined): void {
    if (method === undefined) {
      this.responses.end(GrpcStatus.UNIMPLEMENTED, 'this version is not served');
      return;
    }
    this.method = method;
    method.handle(this);
    this.responses.resume();
  }
}
