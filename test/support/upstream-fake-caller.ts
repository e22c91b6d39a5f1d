import { GrpcStatus } from '../../src/grpc/unary-caller.js';
import type {
  CallFailure,
  CallHandle,
  CallObserver,
  UnaryCaller,
} from '../../src/grpc/unary-caller.js';
import type { Clock } from '../../src/base/clock.js';
import {
  UpstreamRequest,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';

const PROCESS = '/gatesvr.proto.UpstreamService/ProcessRequest';

/** One call that the code under test made; the test decides what becomes of it. */
export class FakeCall implements CallHandle {
  cancelled = false;
  private over = false;

  constructor(
    readonly address: string,
    readonly method: string,
    readonly bytes: Uint8Array,
    readonly deadline: number,
    private readonly observer: CallObserver,
    private readonly waits: () => boolean = () => false,
  ) {}

  /** The UpstreamRequest, where it is one. */
  get request(): UpstreamRequest {
    return decodeMessage(UpstreamRequest, this.bytes);
  }

  get pending(): boolean {
    return !this.over;
  }

  respond(bytes: Uint8Array): void {
    if (this.over) return;
    this.over = true;
    this.observer.onResponse(bytes);
  }

  answer(code = 200, clientSeqId = 0): void {
    this.respond(encodeMessage(UpstreamResponse, { code, message: this.address, clientSeqId }));
  }

  fail(status: number, neverSent = false, message = `status ${status}`): void {
    this.tell({ status, message, neverSent });
  }

  /** Its time is up while it waits for a connection that carries all that it may. */
  expireBusy(): void {
    const message = 'no answer within the deadline';
    this.tell({ status: GrpcStatus.DEADLINE_EXCEEDED, message, neverSent: true, busy: true });
  }

  private tell(failure: CallFailure): void {
    if (this.over) return;
    this.over = true;
    this.observer.onFailure(failure);
  }

  /** As a port where nobody listens. */
  refuse(): void {
    this.fail(GrpcStatus.UNAVAILABLE, true, 'connect ECONNREFUSED');
  }

  /** As a caller that still waits for its connection. */
  withdraw(): boolean {
    if (!this.pending || !this.waits()) return false;
    this.over = true;
    return true;
  }

  cancel(): void {
    this.cancelled = true;
    queueMicrotask(() => this.fail(GrpcStatus.CANCELLED));
  }
}

/**
 * Callers whose network is the test: every call is kept, ProcessRequest waits for the test's word,
 * probes follow `alive`, and deadlines pass with the test's clock.
 */
export class FakeNetwork {
  readonly calls: FakeCall[] = [];
  readonly probes: FakeCall[] = [];
  readonly closed: string[] = [];
  /** Addresses whose probes are refused. */
  readonly dead = new Set<string>();
  /** What every caller tells as its `outage`. */
  outage = 0;
  /** Addresses that swallow packets: calls to them wait for a connection. */
  readonly silent = new Set<string>();

  constructor(private readonly clock: Clock) {}

  readonly makeCaller = (address: string): UnaryCaller => {
    const outage = (): number => this.outage;
    const connected = (): boolean => !this.silent.has(address);
    return {
      get outage() {
        return outage();
      },
      get connected() {
        return connected();
      },
      ...this.callsTo(address),
    };
  };

  private readonly callsTo = (address: string): UnaryCaller => ({
    call: (method, bytes, deadline, observer) => {
      const waits = (): boolean => this.silent.has(address);
      const call = new FakeCall(address, method, bytes, deadline, observer, waits);
      if (method === PROCESS) {
        this.calls.push(call);
        this.clock.after(deadline, () => call.fail(GrpcStatus.DEADLINE_EXCEEDED, waits()));
      } else {
        this.probes.push(call);
        queueMicrotask(() => {
          if (this.dead.has(address)) call.refuse();
          else call.fail(GrpcStatus.UNIMPLEMENTED);
        });
      }
      return call;
    },
    close: () => void this.closed.push(address),
  });

  /** The calls that wait for the test's word. */
  open(): FakeCall[] {
    return this.calls.filter((call) => call.pending);
  }

  /** The latest call. */
  last(): FakeCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('nothing was called');
    return call;
  }
}
