import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Command } from 'commander';
import { formatAddress } from '../base/address.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { Address } from '../config/config.js';
import { schema } from '../config/schema.js';
import { SingleKeys } from '../config/single-keys.js';
import { addConfigOptions, sourcesOf } from './config-options.js';
import type { ConfigOptions } from './config-options.js';
import { addIdentityOptions, identityOf } from './ops-access.js';
import type { IdentityOptions } from './ops-access.js';
import type { OpsIdentity } from './ops-client.js';
import type { Terminal } from './program.js';

/** Above what a busy gateway takes, below what containers give a health check, ms. */
const TIMEOUT_MS = 4_000;

const HELP = `
Asks /live at server.http_addr, or where that is off whether server.metrics_addr answers, over TLS where ops.tls is set.
It reads these keys of the configuration that serve reads: give it the same options, or variable GATESVR_CONFIG to both.
Where ops.tls.client_ca_file is set it shows --cert; without one, that the listener shakes hands has to do.
No other key matters: a gateway that runs is well, whatever its file says by now. Of what makes no sense it warns.
Exit codes: 0 it answers, or both are off and nothing can be asked; 1 it does not; 2 a wrong command line.`;

/** Where and how to ask. */
interface Question {
  /** Null: both listeners are off. */
  readonly address: Address | null;
  /** Whether /live is there: Prometheus' listener has no such page. */
  readonly hasPage: boolean;
  readonly tls: boolean;
  /** Callers must show certificates, and we were given none. */
  readonly closed: boolean;
}

type HealthcheckOptions = ConfigOptions & IdentityOptions;

/** `gatesvr healthcheck`: does the gateway with this configuration answer; for containers. */
export function registerHealthcheckCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('healthcheck')
    .description('ask the gateway with this configuration, on this machine, whether it lives')
    .addHelpText('after', HELP);
  addIdentityOptions(addConfigOptions(command)).action((options: HealthcheckOptions) =>
    healthcheck(options, terminal),
  );
}

async function healthcheck(options: HealthcheckOptions, terminal: Terminal): Promise<void> {
  const identity = identityOf(options);
  const keys = new SingleKeys(sourcesOf(options));
  const question = questionOf(keys, identity);
  const [problem] = keys.problems;
  if (problem !== undefined) {
    terminal.err(`gatesvr: warning: ${problem}; gatesvr check-config says all that is wrong\n`);
  }
  if (question.address === null) {
    terminal.out('server.http_addr and server.metrics_addr are off: nothing to ask\n');
    return;
  }
  const here = { host: fromHere(question.address.host), port: question.address.port };
  const where = formatAddress(here.host, here.port);
  const ways = waysToAsk(question, problem === undefined);
  const status = await firstAnswer(where, ways, (way) => statusOf(here, way, identity));
  // That Prometheus' listener has no such page is life enough.
  if (question.hasPage && status !== null && status !== 200) {
    throw new CodedError('UNHEALTHY', `${where}/live answers ${status}; is it a gateway?`);
  }
  terminal.out(`${where} answers\n`);
}

function questionOf(keys: SingleKeys, identity: OpsIdentity | undefined): Question {
  const { server, ops } = schema;
  const http = keys.value('server.http_addr', server.http_addr);
  const mutual = keys.value('ops.tls.client_ca_file', ops.tls.client_ca_file) !== null;
  return {
    address: http ?? keys.value('server.metrics_addr', server.metrics_addr),
    hasPage: http !== null,
    tls: keys.value('ops.tls.cert_file', ops.tls.cert_file) !== null,
    closed: mutual && identity === undefined,
  };
}

/** A configuration that cannot be read as a whole may hide whether there is TLS: then both ways are tried. */
function waysToAsk({ tls, closed }: Question, sure: boolean): readonly Way[] {
  const known: Way = tls ? (closed ? 'handshake' : 'https') : 'http';
  return sure ? [known] : [known, tls ? 'http' : 'handshake'];
}

/** @returns what the first way that leads to an answer gives. @throws {CodedError} the first fault. */
async function firstAnswer(
  where: string,
  ways: readonly Way[],
  ask: (way: Way) => Promise<number | null>,
): Promise<number | null> {
  let cause: unknown;
  for (const way of ways) {
    try {
      return await ask(way);
    } catch (error) {
      cause ??= error;
    }
  }
  throw new CodedError('UNHEALTHY', `${where} does not answer: ${messageOf(cause)}`, { cause });
}

/** Where a listener is reached from its own machine. @param host as configured. */
function fromHere(host: string): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** `handshake` where the listener wants client certificates, and we have none. */
type Way = 'http' | 'https' | 'handshake';

/**
 * Whom we ask is known by the address, so its certificate is not checked.
 * @returns the status of /live; null where a TLS handshake has to do.
 */
function statusOf(
  { host, port }: Address,
  way: Way,
  identity: OpsIdentity | undefined,
): Promise<number | null> {
  const shared = { host, port, path: '/live', agent: false } as const;
  return new Promise((resolve, reject) => {
    const asked =
      way === 'http'
        ? httpRequest(shared)
        : httpsRequest({ ...shared, ...identity, rejectUnauthorized: false });
    const spare = setTimeout(
      () => asked.destroy(new Error(`nothing came within ${TIMEOUT_MS / 1_000} s`)),
      TIMEOUT_MS,
    );
    const settle = (end: () => void) => {
      clearTimeout(spare);
      end();
      asked.destroy();
    };
    asked.on('response', ({ statusCode = 0 }) => settle(() => resolve(statusCode)));
    asked.on('error', (error) => settle(() => reject(error)));
    if (way === 'handshake') {
      asked.on('socket', (socket) =>
        socket.once('secureConnect', () => settle(() => resolve(null))),
      );
    }
    asked.end();
  });
}
