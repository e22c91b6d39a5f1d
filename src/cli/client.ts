import { setTimeout as pause } from 'node:timers/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import { CodedError } from '../base/errors.js';
import type {
  GatewayClient,
  GatewayClientOptions,
  RequestOptions,
  TransportName,
} from '../sdk/client/index.js';
import { answerText, pushLine } from './client-output.js';
import { ClientShell, historyFile } from './client-shell.js';
import { addTrustOptions, readFor, trustOf } from './gateway-trust.js';
import type { TrustOptions } from './gateway-trust.js';
import { hostPorts, keyValue, openid, seconds } from './option-values.js';
import type { Terminal } from './program.js';
import { refuseGiven } from './usage-error.js';

interface ClientOptions extends TrustOptions {
  readonly server: readonly string[];
  readonly openid: string;
  readonly token: string;
  readonly transport: TransportName;
  readonly action?: string;
  readonly data?: string;
  readonly param?: Record<string, string>;
  readonly header?: Record<string, string>;
  readonly timeout: number;
  readonly listen: number;
  readonly hello?: boolean;
  readonly raw?: boolean;
  readonly performance?: boolean;
  readonly json?: boolean;
}

const MS_PER_SECOND = 1_000;

/** Options about one request. */
const OF_A_REQUEST = ['data', 'param', 'header', 'listen', 'hello', 'raw'] as const;

/** `gatesvr client`: one request, or a conversation. */
export function registerClientCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('client')
    .description('send one request through a gateway, or talk to it (without --action)')
    .option('--server <addresses>', 'gateway, host:port; several by commas', hostPorts, [
      '127.0.0.1:8453',
    ])
    .option('--openid <openid>', 'who to be', openid, 'demo-user')
    .option('--token <token>', 'the token that proves it', 'default-token')
    .addOption(
      new Option('--transport <name>', 'auto: QUIC, and WebSocket where UDP does not get through')
        .choices(['quic', 'websocket', 'auto'])
        .default('quic'),
    )
    .option('--action <action>', 'what to ask for')
    .option('--data <text>', 'the data of the request; @FILE reads a file')
    .option('--param <key=value>', 'a parameter of the request (repeatable)', keyValue)
    .option('--header <key=value>', 'a header of the request (repeatable)', keyValue)
    .option(
      '--timeout <seconds>',
      'how long to wait for the connection, and the answer',
      seconds,
      10,
    )
    .option('--listen <seconds>', 'stay so long after the answer and print pushes', seconds, 0)
    .option('--hello', 'log in first (action hello)')
    .option('--raw', 'print the data of the answer, byte by byte, and nothing else')
    .option('--performance', 'measure connects, requests (echo) and pushes (after) of one client')
    .option('--json', 'with --performance: print the figures as one JSON object');
  addTrustOptions(command).action((options: ClientOptions) => {
    refuseMeaningless(options, command);
    return runClient(options, terminal);
  });
}

/** @throws {UsageError} where one was given that what is to be done has no use for. */
function refuseMeaningless({ performance, action }: ClientOptions, command: Command): void {
  if (performance === true) {
    refuseGiven(command, ['action', ...OF_A_REQUEST], 'to --performance: leave it out');
    return;
  }
  refuseGiven(command, ['json'], 'without --performance: add that, or leave it out');
  if (action !== undefined) return;
  refuseGiven(command, OF_A_REQUEST, 'without --action: say what to ask for, or leave it out');
}

async function runClient(options: ClientOptions, terminal: Terminal): Promise<void> {
  const { server, openid, token, transport, timeout } = options;
  const settings: GatewayClientOptions = {
    addresses: server,
    openid,
    token,
    transport,
    ...trustOf(options),
    connectTimeoutMs: timeout * MS_PER_SECOND,
    requestTimeoutMs: timeout * MS_PER_SECOND,
  };
  if (options.performance === true) return measure(settings, options.json === true, terminal);
  // The client's code is loaded only when it is needed: every command starts faster.
  const sdk = await import('../sdk/client/index.js');
  const client = new sdk.GatewayClient(settings);
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

async function measure(
  settings: GatewayClientOptions,
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  const { measureClient, performanceJson, performanceText } =
    await import('./client-performance.js');
  const found = await measureClient(settings);
  terminal.out(json ? `${JSON.stringify(performanceJson(found))}\n` : performanceText(found));
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
  if (options.raw === true) terminal.out(answer.data);
  else terminal.out(answerText(answer, took));
  if (options.listen > 0) await pause(options.listen * MS_PER_SECOND);
  if (answer.code < 200 || answer.code > 299) {
    throw new CodedError('ANSWER', `${action} was answered with ${answer.code} ${answer.message}`);
  }
}

function requestOf({ data, param, header }: ClientOptions): RequestOptions {
  return {
    ...(data === undefined
      ? {}
      : { data: data.startsWith('@') ? readFor('--data', data.slice(1)) : data }),
    ...(param === undefined ? {} : { params: param }),
    ...(header === undefined ? {} : { headers: header }),
  };
}
