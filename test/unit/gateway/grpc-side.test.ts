import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.js';
import { GrpcSide } from '../../../src/gateway/grpc-side.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { FakeClock } from '../../support/fake-clock.js';

/** What a gateway with these settings says about its gRPC port, by the key that each line begins with. */
function warningsOf(flags: Record<string, string>): string[] {
  const { config } = loadConfig({ flags });
  const lines = new GrpcSide(config, new FakeClock(), silentLogger()).warnings();
  return lines.map((line) => (line.includes('plaintext') ? 'plaintext' : 'open to anyone'));
}

describe('the warnings about the gRPC port', () => {
  test.each([
    [{}, ['plaintext', 'open to anyone']],
    [{ 'grpc.allow_insecure': 'true' }, ['open to anyone']],
    [{ 'grpc.secret': 'x' }, ['plaintext']],
    [{ 'grpc.register_allow': '10.0.0.0/8', 'grpc.allow_insecure': 'true' }, []],
    [{ 'server.grpc_addr': '127.0.0.1:8092' }, []],
    [{ 'server.grpc_addr': '[::1]:8092' }, []],
    [{ 'server.grpc_addr': '10.0.0.1:8092' }, ['plaintext', 'open to anyone']],
  ])('%p', (flags, expected) => {
    expect(warningsOf(flags as Record<string, string>)).toEqual(expected);
  });

  test('a CA that is none stops the start', () => {
    const { config } = loadConfig({ flags: { 'upstream_tls.ca_file': 'package.json' } });
    expect(() => new GrpcSide(config, new FakeClock(), silentLogger())).toThrow(
      'package.json holds no PEM certificate',
    );
  });
});
