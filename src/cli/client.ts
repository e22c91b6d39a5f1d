import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { parseAddress } from '../base/address.js';
import { CodedError, messageOf } from '../base/errors.js';
import { DEVELOPMENT_FOLDER } from '../config/certificates.js';
import { GatewayClient } from '../sdk/client/index.js';
import type { RequestOptions } from '../sdk/client/index.js';
import { answerText, pushLine } from './client-output.js';
import { ClientShell, historyFile } from './client-shell.js';
import type { Terminal } from './program.js';

interface ClientOptions {
  readonly server: readonly string[];
  readonly openid: string;
  readonly token: string;
  readonly action?: string;
  readonly data?: string;
  readonly param?: Record<string, string>;
  readonly header?: Record<string, string>;
  readonly timeout: number;
  readonly listen: number;
  readonly hello?: boolean;
  readonly raw?: boolean;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly serverName?: string;
}

/** The CA of `gatesvr certs` and of a gateway's first run. */
const DEVELOPMENT_CA = join(DEVELOPMENT_FOLDER, 'ca.crt');
const MS_PER_SECOND = 1_000;

/** `gatesvr client`: one request, or a conversation. */
export function registerClientCommand(program: Command, terminal: Terminal): void {
  program
    .command('client')
    .description('send one request through a gateway, or talk to it (without --action)')
    .option('--server <addresses>', 'gateway, host:port; several by commas', parseServers, [
      '127.0.0.1:8453',
    ])
    .option('--openid <openid>', 'who to be', 'demo-user')
    .option('--token <token>', 'the token that proves it', 'default-token')
    .option('--action <action>', 'what to ask for')
    .option('--data <text>', 'the data of the request; @FILE reads a file')
    .option('--param <key=value>', 'a parameter of the request (repeatable)', collect)
    .option('--header <key=value>', 'a header of the request (repeatable)', collect)
    .option(
      '--timeout <seconds>',
      'how long to wait for the connection, and the answer',
      seconds,
      10,
    )
    .option('--listen <seconds>', 'stay so long after the answer and print pushes', seconds, 0)
    .option('--hello', 'log in first (action hello)')
    .option('--raw', 'print the data of the answer and nothing else')
    .option(
      '--ca <file>',
      `PEM of the authorities to trust (default: ${DEVELOPMENT_CA}, if it exists)`,
    )
    .option('--insecure', 'accept any certificate (development only)')
    .option('--server-name <name>', 'the name that the certificate bears')
    .action((options: ClientOptions) => runClient(options, terminal));
}

async function runClient(options: ClientOptions, terminal: Terminal): Promise<void> {
  const { server, openid, token, timeout, serverName, insecure = false } = options;
  const ca = readCa(options);
  const client = new GatewayClient({
    addresses: server,
    openid,
    token,
    insecure,
    connectTimeoutMs: timeout * MS_PER_SECOND,
    requestTimeoutMs: timeout * MS_PER_SECOND,
    ...(ca === null ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  });
  try {
    if (options.action === undefined) {
      await new ClientShell(client, process.stdin, process.stdout, historyFile()).run();
    } else {
      await oneRequest(client, options.action, options, terminal);
    }
  } finally {
    await client.stop();
  }
}

/** Answers outside 200-299 are failures, for scripts. */
async function oneRequest(
  client: GatewayClient,
  action: string,
  options: ClientOptions,
  terminal: Terminal,
): Promise<void> {
  client.onPush((push) => terminal.err(pushLine(push)));
  const request = requestOf(options);
  await client.connect();
  if (options.hello === true) await client.request('hello');
  const begun = performance.now();
  const answer = await client.request(action, request);
  const took = performance.now() - begun;
  if (options.raw === true) terminal.out(answer.text);
  else terminal.out(answerText(answer, took));
  if (options.listen > 0) await pause(options.listen * MS_PER_SECOND);
  if (answer.code < 200 || answer.code > 299) {
    throw new CodedError('ANSWER', `${action} was answered with ${answer.code} ${answer.message}`);
  }
}

function requestOf({ data, param, header }: ClientOptions): RequestOptions {
  return {
    ...(data === undefined ? {} : { data: data.startsWith('@') ? readData(data.slice(1)) : data }),
    ...(param === undefined ? {} : { params: param }),
    ...(header === undefined ? {} : { headers: header }),
  };
}

function readCa({ ca, insecure }: ClientOptions): Buffer | null {
  const file = ca ?? (existsSync(DEVELOPMENT_CA) ? DEVELOPMENT_CA : null);
  if (file === null || insecure === true) return null;
  return readFor('--ca', file);
}

function readData(file: string): Buffer {
  return readFor('--data', file);
}

function readFor(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const message = `${option}: cannot read ${file} (${messageOf(error)}); give a file that exists`;
    throw new CodedError('UNREADABLE', message, { cause: error });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function parseServers(text: string): readonly string[] {
  const addresses = text.split(',').map((address) => address.trim());
  if (addresses.every((address) => (parseAddress(address)?.host ?? '') !== '')) return addresses;
  throw new InvalidArgumentError('write each as host:port, separated by commas.');
}

function collect(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write it as key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function seconds(text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('give a number of seconds.');
}
