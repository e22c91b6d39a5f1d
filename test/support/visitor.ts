import { expect } from '@jest/globals';
import type { GatewayClient } from '../../src/sdk/client/index.js';
import type { UpstreamServer } from '../../src/sdk/upstream/index.js';
import { eventually } from './quic-harness.js';

const BETWEEN_MS = 2;
/** After a push that was not taken: whoever should take it is not there. */
const NOT_TAKEN_MS = 20;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One client under load: pushes that were accepted for it, and what it got. */
export class Visitor {
  readonly accepted: string[] = [];
  readonly got: string[] = [];
  readonly seqs: number[] = [];
  readonly recovered: boolean[] = [];
  /** Requests that were not answered. */
  readonly unknown: string[] = [];
  answered = 0;

  constructor(
    readonly openid: string,
    readonly client: GatewayClient,
  ) {
    client.onPush((push) => {
      this.got.push(push.text);
      this.seqs.push(push.seq);
    });
    client.on('connected', ({ recovered }) => this.recovered.push(recovered));
  }

  /** Numbered pushes and requests, one of each at a time, as long as `wanted`. */
  async load(upstream: UpstreamServer, wanted: () => boolean): Promise<void> {
    await Promise.all([this.pushAll(upstream, wanted), this.askAll(wanted)]);
  }

  /** After the load: all that was accepted came, once and in order, and the session went on. */
  async lacksNothing(): Promise<void> {
    const all = () => this.accepted.every((text) => this.got.includes(text));
    await eventually(all, `every accepted push of ${this.openid}`);
    expect(new Set(this.got).size).toBe(this.got.length);
    // One of unknown outcome may come late: a deposed primary offers what only it has.
    const promised = new Set(this.accepted);
    const order = this.got
      .filter((text) => promised.has(text))
      .map((text) => Number(/\d+$/.exec(text)));
    expect(order).toEqual([...order].sort((one, other) => one - other));
    const ascending = this.seqs.every((seq, at) => at === 0 || seq > Number(this.seqs[at - 1]));
    expect([this.openid, ascending]).toEqual([this.openid, true]);
    expect([this.openid, ...this.recovered]).not.toContain(false);
  }

  private async pushAll(upstream: UpstreamServer, wanted: () => boolean): Promise<void> {
    for (let index = 0; wanted(); index++) {
      const data = `${this.openid}/p${index}`;
      const taken = await upstream.push({ openid: this.openid, type: 't', data }).then(
        () => true,
        () => false,
      );
      if (taken) this.accepted.push(data);
      await pause(taken ? BETWEEN_MS : NOT_TAKEN_MS);
    }
  }

  private async askAll(wanted: () => boolean): Promise<void> {
    for (let index = 0; wanted(); index++) {
      const data = `${this.openid}/r${index}`;
      await this.client.request('echo', { data }).then(
        () => this.answered++,
        () => this.unknown.push(data),
      );
      await pause(BETWEEN_MS);
    }
  }
}
