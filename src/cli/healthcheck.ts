import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Command } from 'commander';
import { formatAddress } from '../base/address.js';
import { CodedError, messageOf } from '../base/errors.js';
import type { Address, Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { addConfigOptions, sourcesOf } from './config-options.js';
import type { ConfigOptions } from './config-options.js';
import type { Terminal } from './program.js';

/** Above what a busy gateway takes, below what containers give a health check, ms. */
const TIMEOUT_MS = 4_000;

const HELP = `
Asks /live at server.http_addr, or where that is off whether server.metrics_addr answers, over TLS where ops.tls is set.
It reads the same configuration as serve: give it the same options, or variable GATESVR_CONFIG to both.
Exit codes: 0 it answers, or both are off and nothing can be asked; 1 it does not; 2 a wrong command line.`;

/** `gatesvr healthcheck`: does the gateway with this configuration answer; for containers. */
export function registerHealthcheckCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('healthcheck')
    .description('ask the gateway with this configuration, on this machine, whether it lives')
    .addHelpText('after', HELP);
  addConfigOptions(command).action((options: ConfigOptions) => healthcheck(options, terminal));
}

async function healthcheck(options: ConfigOptions, terminal: Terminal): Promise<void> {
  const { server, ops } = loadConfig(sourcesOf(options)).config;
  const address = server.httpAddr ?? server.metricsAddr;
  if (address === null) {
    terminal.out('server.http_addr and server.metrics_addr are off: nothing to ask\n');
    return;
  }
  const here = { host: fromHere(address.host), port: address.port };
  const where = formatAddress(here.host, here.port);
  let status: number | null;
  try {
    status = await statusOf(here, ops.tls);
  } catch (error) {
    throw new CodedError('UNHEALTHY', `${where} does not answer: ${messageOf(error)}`, {
      cause: error,
    });
  }
  // Prometheus' listener has no such page: that it says so is life enough.
  if (server.httpAddr !== null && status !== null && status !== 200) {
    throw new CodedError('UNHEALTHY', `${where}/live answers ${status}; is it a gateway?`);
  }
  terminal.out(`${where} answers\n`);
}

/** Where a listener is reached from its own machine. @param host as configured. */
function fromHere(host: string): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/**
 * Whom we ask is known by the address, so its certificate is not checked.
 * @returns the status of /live; null where the listener wants client certificates, for which a TLS handshake
 * has to do: we need not have one that it trusts.
 */
function statusOf({ host, port }: Address, tls: Config['ops']['tls']): Promise<number | null> {
  const shared = { host, port, path: '/live', agent: false } as const;
  return new Promise((resolve, reject) => {
    const asked =
      tls.certFile === null
        ? httpRequest(shared)
        : httpsRequest({ ...shared, rejectUnauthorized: false });
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
    if (tls.clientCaFile !== null) {
      asked.on('socket', (socket) =>
        socket.once('secureConnect', () => settle(() => resolve(null))),
      );
    }
    asked.end();
  });
}
