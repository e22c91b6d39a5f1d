import { LatencyRecorder } from '../bench/client/latency-recorder.js';
import type { LatencyFigures } from '../bench/client/latency-recorder.js';
import { CodedError } from '../base/errors.js';
import { GatewayClient } from '../sdk/client/index.js';
import type { GatewayClientOptions } from '../sdk/client/index.js';
import { latencyJson } from './bench/report-json.js';
import { latencyTable } from './latency-table.js';

/** How much a measure does; enough for a p99 of requests, and over in seconds. */
const CONNECTS = 5;
const WARMUP_REQUESTS = 20;
const REQUESTS = 200;
const PUSHES = 50;
/** Longest that a push may come after its answer, ms. */
const PUSH_PATIENCE_MS = 5_000;
const NOT_FOUND = 404;

export interface ClientPerformance {
  /** Handshake and START of a new connection. */
  readonly connect: LatencyFigures;
  /** One request after the other. */
  readonly request: LatencyFigures;
  /** From a request to the push that it asks for; null where no upstream knows how. */
  readonly push: LatencyFigures | null;
}

/**
 * Measures what one client sees of a gateway: action `echo` must answer with its data, and action
 * `after` of the demo services, where there is one, must push once.
 * @throws {CodedError} where an answer or push is wrong or missing.
 */
export async function measureClient(options: GatewayClientOptions): Promise<ClientPerformance> {
  const connect = new LatencyRecorder();
  for (let round = 1; round < CONNECTS; round++) {
    const client = await connected(options, connect);
    await client.stop();
  }
  const client = await connected(options, connect);
  try {
    for (let index = 0; index < WARMUP_REQUESTS; index++) await echo(client, index);
    const request = new LatencyRecorder();
    for (let index = 0; index < REQUESTS; index++) {
      const begun = performance.now();
      await echo(client, index);
      request.record(performance.now() - begun);
    }
    const push = await measurePushes(client);
    return { connect: connect.figures(), request: request.figures(), push };
  } finally {
    await client.stop();
  }
}

export function performanceText({ connect, request, push }: ClientPerformance): string {
  const rows: [string, LatencyFigures][] = [
    ['connect', connect],
    ['request', request],
  ];
  if (push !== null) rows.push(['push', push]);
  const note = push === null ? 'no pushes: the upstream has no action after\n' : '';
  return `${latencyTable(rows)}${note}`;
}

export function performanceJson({ connect, request, push }: ClientPerformance): object {
  return {
    connect_ms: latencyJson(connect),
    request_ms: latencyJson(request),
    push_ms: push === null ? null : latencyJson(push),
  };
}

async function connected(
  options: GatewayClientOptions,
  latencies: LatencyRecorder,
): Promise<GatewayClient> {
  const client = new GatewayClient(options);
  const begun = performance.now();
  try {
    await client.connect();
  } catch (error) {
    client.close();
    throw error;
  }
  latencies.record(performance.now() - begun);
  return client;
}

async function echo(client: GatewayClient, index: number): Promise<void> {
  const data = Buffer.from(`performance ${index}`.padEnd(100, '.'));
  const answer = await client.request('echo', { data });
  if (answer.code !== 200) {
    throw new CodedError('ANSWER', `echo was answered with ${answer.code} ${answer.message}`);
  }
  if (!data.equals(answer.data)) {
    throw new CodedError('WRONG_ANSWER', 'echo was answered with other bytes than were sent');
  }
}

async function measurePushes(client: GatewayClient): Promise<LatencyFigures | null> {
  const latencies = new LatencyRecorder();
  let arrived: ((content: string) => void) | null = null;
  client.onPush((push) => {
    if (push.type === 'after') arrived?.(push.content);
  });
  for (let index = 0; index < PUSHES; index++) {
    const wanted = `performance ${index}`;
    const begun = performance.now();
    const came = new Promise<string>((resolve) => (arrived = resolve));
    const answer = await client.request('after', { data: wanted });
    if (answer.code === NOT_FOUND) return null;
    if (answer.code !== 200) {
      throw new CodedError('ANSWER', `after was answered with ${answer.code} ${answer.message}`);
    }
    const content = await inTime(came);
    if (content !== wanted) throw new CodedError('WRONG_PUSH', 'a push came with other bytes');
    latencies.record(performance.now() - begun);
  }
  return latencies.figures();
}

async function inTime(push: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `a push did not come within ${PUSH_PATIENCE_MS / 1000} s`;
    timer = setTimeout(() => reject(new CodedError('NO_PUSH', message)), PUSH_PATIENCE_MS);
  });
  return Promise.race([push, late]).finally(() => clearTimeout(timer));
}
