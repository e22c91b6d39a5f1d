import { beforeEach, describe, expect, test } from '@jest/globals';
import type { CallConnection, ConnectionOwner } from '../../../src/grpc/call-connection.js';
import type { BidiStream, CarriedCall } from '../../../src/grpc/carried-call.js';
import { Http2Caller } from '../../../src/grpc/http2-caller.js';
import { FakeClock } from '../../support/fake-clock.js';

const STREAM = { close: () => undefined } as unknown as BidiStream;

/** A connection that the test makes and loses. */
class ScriptedConnection implements CallConnection {
  ready = false;
  leaving = false;
  readonly carried: CarriedCall[] = [];

  constructor(private readonly owner: ConnectionOwner) {}

  get open(): boolean {
    return this.ready && !this.leaving;
  }

  send(call: CarriedCall): boolean {
    call.attach(STREAM);
    this.carried.push(call);
    return true;
  }

  connected(): void {
    this.ready = true;
    this.owner.onReady(this);
  }

  /** As the connections of both callers do it: first the calls, then the owner. */
  destroy(reason: string): void {
    this.leaving = true;
    for (const call of this.carried) call.lose(reason, false);
    this.owner.onClosed(this, reason);
  }
}

let clock: FakeClock;
let connections: ScriptedConnection[];
let caller: Http2Caller;
/** The outage of every failed call, at the time that it was told. */
let outages: number[];

const latest = (): ScriptedConnection => {
  const connection = connections.at(-1);
  if (connection === undefined) throw new Error('nothing was dialled');
  return connection;
};

function call(times: number): void {
  for (let index = 0; index < times; index++) {
    caller.call('/a.B/C', Buffer.from('x'), 60_000, {
      onResponse: () => undefined,
      onFailure: () => void outages.push(caller.outage),
    });
  }
}

/** What is told in this turn. */
const told = async (): Promise<number[]> => {
  await new Promise((resolve) => setImmediate(resolve));
  return outages.splice(0);
};

beforeEach(() => {
  clock = new FakeClock();
  connections = [];
  outages = [];
  const connect = (_: unknown, owner: ConnectionOwner): ScriptedConnection => {
    connections.push(new ScriptedConnection(owner));
    return latest();
  };
  caller = new Http2Caller('127.0.0.1:1', connect, {}, () => null, clock);
});

describe('the outage of a caller', () => {
  test('is one for all calls of a refused attempt and of the pause behind it', async () => {
    call(5);
    latest().destroy('refused');
    expect(await told()).toEqual([1, 1, 1, 1, 1]);
    call(3);
    expect(await told()).toEqual([1, 1, 1]);
    expect(connections).toHaveLength(1);
    clock.advance(10_000);
    call(2);
    latest().destroy('refused');
    expect(await told()).toEqual([2, 2]);
  });

  test('is one for all calls of a lost connection, and none while connected', async () => {
    call(5);
    latest().connected();
    expect(caller.outage).toBe(0);
    latest().destroy('reset');
    expect(await told()).toEqual([1, 1, 1, 1, 1]);
    call(1);
    expect(connections).toHaveLength(2);
    latest().connected();
    expect(caller.outage).toBe(0);
    caller.close();
    expect(await told()).toHaveLength(1);
  });
});
