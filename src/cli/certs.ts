import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import {
  DEFAULT_DAYS,
  DEFAULT_HOSTS,
  DEVELOPMENT_FOLDER,
  writeCertificates,
} from '../config/certificates.js';
import { MAX_HASHED_DAYS, certificateHash } from '../config/certificate-hash.js';
import type { Terminal } from './program.js';

interface CertsOptions {
  readonly dir: string;
  readonly hosts: readonly string[];
  readonly days: number;
  readonly force?: boolean;
}

const MAX_DAYS = 3650;

/** `gatesvr certs`: a development CA and a server certificate signed by it. */
export function registerCertsCommand(program: Command, terminal: Terminal): void {
  program
    .command('certs')
    .description('make a development CA and a server certificate (ECDSA P-256)')
    .option('--dir <folder>', 'where to write them', DEVELOPMENT_FOLDER)
    .option('--hosts <names>', 'names and addresses, by commas', parseHosts, DEFAULT_HOSTS)
    .option('--days <days>', 'how long they are valid', parseDays, DEFAULT_DAYS)
    .option('--force', 'replace existing ones')
    .action(async ({ dir, hosts, days, force }: CertsOptions) => {
      const files = await writeCertificates(dir, { hosts, days }, force === true);
      terminal.out(
        [
          `wrote ${files.certFile} and ${files.keyFile}, valid ${days} days for ${hosts.join(', ')}`,
          `clients trust them by ${files.caFile}; the key of this CA was not kept`,
          hashLine(files.certFile, days),
          '',
        ].join('\n'),
      );
    });
}

/** How pages in browsers, which do not know the CA, may trust the certificate all the same. */
function hashLine(certFile: string, days: number): string {
  if (days > MAX_HASHED_DAYS) {
    return `pages may trust one by its hash (WebTransport) that is valid ${MAX_HASHED_DAYS} days at most: --days ${MAX_HASHED_DAYS}`;
  }
  return `pages trust it by its hash (WebTransport, serverCertificateHashes): ${certificateHash(readFileSync(certFile))}`;
}

function parseHosts(text: string): readonly string[] {
  const hosts = text.split(',').map((host) => host.trim());
  if (hosts.every((host) => /^[\w.:*-]{1,253}$/.test(host))) return hosts;
  throw new InvalidArgumentError('give names or IP addresses separated by commas.');
}

function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return days;
  throw new InvalidArgumentError(`give whole days from 1 to ${MAX_DAYS}.`);
}
