import { expect, test } from '@jest/globals';
import { GatewayClient } from '../../../../src/sdk/client/index.js';
import type { TransportName } from '../../../../src/sdk/client/index.js';
import { sharedCertificates } from '../../../support/shared-certificates.js';

const ALICE = { address: '127.0.0.1:1', openid: 'alice' };
const TRANSPORTS: TransportName[] = ['quic', 'websocket', 'auto'];

test.each(TRANSPORTS)(
  'over %s a `ca` must hold certificates, unless it has no say',
  async (transport) => {
    const made = (options: object) => () => new GatewayClient({ ...ALICE, transport, ...options });
    for (const ca of ['certs/ca.crt', '', Buffer.from('no PEM')]) {
      expect(made({ ca })).toThrow(RangeError);
      expect(made({ ca })).toThrow(
        'ca holds no certificate; give the text of a PEM file, not its path',
      );
      expect(made({ ca, insecure: true })).not.toThrow();
    }
    const { ca } = await sharedCertificates();
    expect(made({ ca })).not.toThrow();
    expect(made({ ca: Buffer.from(ca) })).not.toThrow();
  },
);

test.each(TRANSPORTS)('over %s addresses must be such', (transport) => {
  const made = (options: object) => () =>
    new GatewayClient({ openid: 'alice', transport, ...options });
  for (const bad of ['https://gate:8453', 'gate:99999', 'gate:0', '', 'gate/x', '::1:8453']) {
    expect(made({ address: bad })).toThrow(RangeError);
    const message = `${JSON.stringify(bad)} is no gateway address; give host:port`;
    expect(made({ addresses: ['gate', bad] })).toThrow(message);
  }
  for (const good of ['gate', 'gate:1', '[::1]:8453', '127.0.0.1']) {
    expect(made({ address: good })).not.toThrow();
  }
});
