import { describe, expect, it } from '@jest/globals';
import { ClusterSeal } from '../../../src/replication/cluster-seal.js';

const bytes = (text: string) => Buffer.from(text);

describe('a seal', () => {
  const seal = new ClusterSeal('secret');
  const sealed = seal.seal('beat', bytes('context'), bytes('body'));

  it('opens for who has the secret, with the same label and context', () => {
    expect(new ClusterSeal('secret').open('beat', bytes('context'), sealed)).toEqual(bytes('body'));
  });

  it('opens for nothing else', () => {
    expect(new ClusterSeal('other').open('beat', bytes('context'), sealed)).toBeNull();
    expect(seal.open('answer', bytes('context'), sealed)).toBeNull();
    expect(seal.open('beat', bytes('contex'), sealed)).toBeNull();
    expect(seal.open('beat', bytes('context'), { ...sealed, body: bytes('Body') })).toBeNull();
    expect(seal.open('beat', bytes('context'), { body: bytes('body') })).toBeNull();
    // A byte moved from the context into the body is no other way to say the same.
    expect(seal.open('beat', bytes('contextb'), { ...sealed, body: bytes('ody') })).toBeNull();
  });

  it('without a secret proves nothing and asks for nothing', () => {
    const open = new ClusterSeal(null);
    expect(open.seal('beat', bytes(''), bytes('body')).proof).toHaveLength(0);
    expect(open.open('beat', bytes(''), { body: bytes('body') })).toEqual(bytes('body'));
  });

  it('never gives the same challenge twice', () => {
    expect(seal.challenge()).not.toEqual(seal.challenge());
  });
});
