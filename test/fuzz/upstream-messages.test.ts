import { types } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { GatewayService } from '../../src/upstream/gateway-service.js';
import { decodeResponse, encodeRequest } from '../../src/upstream/request-codec.js';
import { silentLogger } from '../../src/telemetry/log.js';
import {
  BroadcastRequest,
  HealthCheckResponse,
  StatusResponse,
  UnicastPushRequest,
  UpstreamRegisterRequest,
  UpstreamRequest,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';
import { hostOfPeer, checkRegistration } from '../../src/routing/registration-check.js';
import {
  RecordingPushSink,
  RecordingRegistrationSink,
} from '../support/upstream-recording-sinks.js';

/** Cases per decoder: some thousands here, 100,000 in the long form (`FUZZ_RUNS=100000`). */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 2_000);

const text = fc.string({ maxLength: 40, unit: 'binary' });
const map = fc.dictionary(text, text, { maxKeys: 4 });
const data = fc.uint8Array({ maxLength: 64 });
const seq = fc.maxSafeNat();

const decoders = [
  {
    name: 'UpstreamRequest',
    decode: (bytes: Uint8Array) => decodeMessage(UpstreamRequest, bytes),
    sample: fc
      .record({
        sessionId: text,
        openid: text,
        action: text,
        params: map,
        data,
        headers: map,
        clientSeqId: seq,
      })
      .map((value) => encodeMessage(UpstreamRequest, value)),
  },
  {
    name: 'UpstreamResponse',
    decode: (bytes: Uint8Array) => decodeResponse(bytes, 1),
    sample: fc
      .record({
        code: fc.integer(),
        message: text,
        data,
        headers: map,
        clientSeqId: fc.constantFrom(0, 1),
      })
      .map((value) => encodeMessage(UpstreamResponse, value)),
  },
  {
    name: 'StatusResponse',
    decode: (bytes: Uint8Array) => decodeMessage(StatusResponse, bytes),
    sample: fc
      .record({ status: text, uptime: seq, activeConnections: fc.integer(), metadata: map })
      .map((value) => encodeMessage(StatusResponse, value)),
  },
  {
    name: 'HealthCheckResponse',
    decode: (bytes: Uint8Array) => decodeMessage(HealthCheckResponse, bytes),
    sample: fc.nat(5).map((status) => encodeMessage(HealthCheckResponse, { status })),
  },
  {
    name: 'UnicastPushRequest',
    decode: (bytes: Uint8Array) => decodeMessage(UnicastPushRequest, bytes),
    sample: fc
      .record({
        targetType: text,
        targetId: text,
        title: text,
        content: text,
        data,
        metadata: map,
        bindClientSeqId: seq,
      })
      .map((value) => encodeMessage(UnicastPushRequest, value)),
  },
  {
    name: 'BroadcastRequest',
    decode: (bytes: Uint8Array) => decodeMessage(BroadcastRequest, bytes),
    sample: fc
      .record({ title: text, content: text, data, metadata: map })
      .map((value) => encodeMessage(BroadcastRequest, value)),
  },
  {
    name: 'UpstreamRegisterRequest',
    decode: (bytes: Uint8Array) => decodeMessage(UpstreamRegisterRequest, bytes),
    sample: fc
      .record({ address: text, zoneId: text, serviceName: text, capabilities: fc.array(text) })
      .map((value) => encodeMessage(UpstreamRegisterRequest, value)),
  },
];

/** A message with some bytes changed, cut off, or something appended. */
function mutated(sample: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(400), fc.nat(255));
  return fc
    .tuple(sample, fc.array(change, { maxLength: 4 }), fc.nat(400), data)
    .map(([bytes, changes, cut, tail]) => {
      const copy = Buffer.concat([bytes.subarray(0, Math.max(1, bytes.length - (cut % 8))), tail]);
      for (const [at, value] of changes) copy[at % copy.length] = value;
      return copy;
    });
}

describe.each(decoders)('$name', ({ decode, sample }) => {
  const onlyErrors = (bytes: Uint8Array): void => {
    try {
      decode(bytes);
    } catch (error) {
      // Not instanceof: an error of Node itself is of another realm than the tests.
      expect(types.isNativeError(error)).toBe(true);
    }
  };

  test('takes every message that it would write', () =>
    fc.assert(
      fc.property(sample, (bytes) => void decode(bytes)),
      { numRuns: RUNS },
    ));

  test('throws nothing but errors on random bytes', () =>
    fc.assert(fc.property(fc.uint8Array({ maxLength: 256 }), onlyErrors), { numRuns: RUNS }));

  test('throws nothing but errors on mutated messages', () =>
    fc.assert(fc.property(mutated(sample), onlyErrors), { numRuns: RUNS }));
});

test('whatever bytes come, each method of the gateway answers once and never throws', () => {
  const service = new GatewayService(
    new RecordingPushSink(),
    {
      knowsZone: () => true,
      register: (request, done) => void (checkRegistration(request), done(OK)),
    },
    silentLogger(),
  );
  const samples = decoders.slice(4).map(({ sample }) => mutated(sample));
  for (const method of service.methods()) {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 128 }), ...samples), (bytes) => {
        let answers = 0;
        method.handle(
          bytes,
          '::1:5',
          () => answers++,
          () => answers++,
        );
        expect(answers).toBe(1);
      }),
      { numRuns: RUNS },
    );
  }
});

const OK = new RecordingRegistrationSink().result;

test('whatever text an upstream registers with, it is an address or refused', () => {
  const address = fc.oneof(
    text,
    fc.tuple(text, fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
  );
  fc.assert(
    fc.property(address, text, (claimed, peer) => {
      const checked = checkRegistration({
        address: claimed,
        zoneId: '001',
        serviceName: '',
        capabilities: [],
        peer,
      });
      if ('refusal' in checked) expect(checked.refusal.success).toBe(false);
      else expect(checked.entry.address).toMatch(/^(\[[0-9a-f:.%\w]+\]|[\w.-]+):\d+$/);
      hostOfPeer(peer);
    }),
    { numRuns: RUNS },
  );
});

test('a request survives encoding whatever it carries', () =>
  fc.assert(
    fc.property(
      fc.record({
        sessionId: text,
        openid: text,
        action: text,
        params: map,
        data,
        headers: map,
        clientSeqId: seq,
      }),
      (request) => {
        const decoded = decodeMessage(UpstreamRequest, encodeRequest(request));
        expect(decoded.clientSeqId).toBe(request.clientSeqId);
        expect(Buffer.from(decoded.data)).toEqual(Buffer.from(request.data));
      },
    ),
    { numRuns: RUNS },
  ));
