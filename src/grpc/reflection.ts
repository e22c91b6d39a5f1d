import type { Server } from '@grpc/grpc-js';
import { fileURLToPath } from 'node:url';
import { StartupError, messageOf } from '../base/errors.js';

/** Where the descriptions of the services are, in the sources and in the package alike. */
const PROTO_FOLDER = fileURLToPath(new URL('../../proto/', import.meta.url));
const PROTO_FILES = ['upstream.proto', 'health.proto'];

/**
 * Serves grpc.reflection (v1 and v1alpha), so that grpcurl and its like need no proto files.
 * @param services full names of the services to tell of.
 * @throws {StartupError} NO_DESCRIPTIONS where the proto files are missing from the installation.
 */
export async function serveReflection(server: Server, services: readonly string[]): Promise<void> {
  // The libraries take long to load, and only the gateway's port needs them.
  const { loadSync } = await import('@grpc/proto-loader');
  const { ReflectionService } = await import('@grpc/reflection');
  try {
    const definition = loadSync(PROTO_FILES, { includeDirs: [PROTO_FOLDER], keepCase: true });
    new ReflectionService(definition, { services: [...services] }).addToServer(server);
  } catch (error) {
    const advice = 'install the package whole, or set grpc.reflection: false';
    const message = `cannot read the service descriptions in ${PROTO_FOLDER}: ${advice}`;
    throw new StartupError('NO_DESCRIPTIONS', `${message} (${messageOf(error)})`, { cause: error });
  }
}
