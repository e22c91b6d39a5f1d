import type { Command } from 'commander';
import { environmentName } from '../config/schema.js';
import type { GatewayAccess } from '../sdk/upstream/index.js';
import { readFor } from './gateway-trust.js';
import { hostPort } from './option-values.js';

/** The variable that gives a gateway its grpc.secret; what calls it takes it from there as well. */
const SECRET_VARIABLE = environmentName('grpc.secret');

/** How a command reaches the gRPC side of a gateway. */
export interface AccessOptions {
  readonly gateway: string;
  readonly secretFile?: string;
  readonly gatewayCa?: string;
}

/** Adds --gateway, --secret-file and --gateway-ca. No option takes a secret: others could read it. */
export function addAccessOptions(command: Command): Command {
  return command
    .option('--gateway <address>', 'gRPC side of the gateway', hostPort, '127.0.0.1:8092')
    .option('--secret-file <file>', `holds its grpc.secret (or variable ${SECRET_VARIABLE})`)
    .option('--gateway-ca <file>', 'it speaks TLS; PEM of the authorities to trust');
}

/** What they mean to a caller. @throws {CodedError} where a file cannot be read. */
export function accessOf({ secretFile, gatewayCa }: AccessOptions): GatewayAccess {
  const secret =
    secretFile === undefined
      ? process.env[SECRET_VARIABLE]
      : readFor('--secret-file', secretFile).toString('utf8').trim();
  return {
    ...(secret ? { secret } : {}),
    ...(gatewayCa === undefined ? {} : { tls: { ca: readFor('--gateway-ca', gatewayCa) } }),
  };
}
