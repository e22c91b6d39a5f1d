import { describe, expect, test } from '@jest/globals';
import { getClient, kickClient } from '../../../../src/sdk/upstream/clients.js';
import type { GatewayCaller } from '../../../../src/sdk/upstream/gateway-caller.js';

const BACKUP = {
  success: false,
  errorCode: 'NOT_PRIMARY',
  message: 'not the primary',
  sessionId: '',
};
const NOBODY = { success: true, errorCode: '', message: '', sessionId: '' };
const ALICE = { ...NOBODY, online: true, sessionId: 's1', openid: 'alice' };
const OFFLINE = {
  success: false,
  errorCode: 'OPENID_OFFLINE',
  message: 'no session',
  sessionId: '',
};

/** Gateways that answer both calls so; an Error is one that cannot be reached. */
function gateways(...answers: (object | Error)[]): GatewayCaller[] {
  return answers.map((answer, at) => {
    const call = () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer));
    return { address: `gw${at}`, kick: call, getClient: call } as unknown as GatewayCaller;
  });
}

const alice = { openid: 'alice' };

describe('of a pair of gateways', () => {
  test('the primary alone tells where a client is', async () => {
    expect(await getClient(gateways(BACKUP, ALICE), alice)).toMatchObject({ gateway: 'gw1' });
    expect(await getClient(gateways(BACKUP, NOBODY), alice)).toBeNull();
    expect(await kickClient(gateways(BACKUP, ALICE), alice, 'x')).toBe(true);
    expect(await kickClient(gateways(OFFLINE, BACKUP), alice, 'x')).toBe(false);
  });

  test.each([
    ['the backup alone answers', [BACKUP, new Error('unreachable')]],
    ['none serves', [BACKUP, BACKUP]],
  ])('nobody is said to be away while %s', async (_, answers) => {
    await expect(getClient(gateways(...answers), alice)).rejects.toThrow(/unreachable|primary/);
    await expect(kickClient(gateways(...answers), alice, 'x')).rejects.toThrow();
  });
});
