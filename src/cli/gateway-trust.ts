import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CodedError, messageOf } from '../base/errors.js';
import { holdsCertificate } from '../base/pem.js';
import { DEVELOPMENT_FOLDER } from '../config/certificates.js';
import type { QuicTransportOptions } from '../sdk/client/index.js';

/** The CA of `gatesvr certs` and of a gateway's first run. */
const DEVELOPMENT_CA = join(DEVELOPMENT_FOLDER, 'ca.crt');

/** How a command's clients check the gateway that they talk to. */
export interface TrustOptions {
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly serverName?: string;
}

/** Adds --ca, --insecure and --server-name. */
export function addTrustOptions(command: Command): Command {
  return command
    .option(
      '--ca <file>',
      `PEM of the authorities to trust (default: ${DEVELOPMENT_CA}, if it exists)`,
    )
    .option('--insecure', 'accept any certificate (development only)')
    .option('--server-name <name>', 'the name that the certificate bears');
}

/** What they mean to a client. @throws {CodedError} where the file cannot be read, or has no certificate. */
export function trustOf({
  ca,
  insecure = false,
  serverName,
}: TrustOptions): Pick<QuicTransportOptions, 'ca' | 'insecure' | 'serverName'> {
  const file = ca ?? (existsSync(DEVELOPMENT_CA) ? DEVELOPMENT_CA : null);
  const name = serverName === undefined ? {} : { serverName };
  if (insecure) return { insecure, ...name };
  return file === null ? name : { ca: authorities(file), ...name };
}

function authorities(file: string): Buffer {
  const pem = readFor('--ca', file);
  if (holdsCertificate(pem)) return pem;
  throw new CodedError('NO_CERTIFICATE', `--ca: ${file} has no certificate in PEM`);
}

/** Reads a file that an option names. @throws {CodedError} with a line that says so. */
export function readFor(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const message = `${option}: cannot read ${file} (${messageOf(error)}); give a file that exists`;
    throw new CodedError('UNREADABLE', message, { cause: error });
  }
}
