import { expect, it } from '@jest/globals';
import { listenEverywhere } from '../../../src/base/listen-everywhere.js';

/** Binds what has no failure. */
function binder(failures: Readonly<Record<string, string>>): (host: string) => Promise<string> {
  return (host) => {
    const failure = failures[host];
    return failure === undefined ? Promise.resolve(host) : Promise.reject(new Error(failure));
  };
}

it('takes both families where the machine has both', async () => {
  expect(await listenEverywhere(binder({}))).toBe('::');
});

it.each(['listen EAFNOSUPPORT: address family not supported :::1', 'bind EADDRNOTAVAIL ::'])(
  'takes IPv4 alone after "%s"',
  async (failure) => {
    expect(await listenEverywhere(binder({ '::': failure }))).toBe('0.0.0.0');
  },
);

it('goes on to nothing where another failure is told, and tells the last one', async () => {
  const inUse = binder({ '::': 'listen EADDRINUSE: address already in use :::1' });
  await expect(listenEverywhere(inUse)).rejects.toThrow('EADDRINUSE');
  const neither = binder({ '::': 'bind EAFNOSUPPORT ::', '0.0.0.0': 'bind EACCES 0.0.0.0' });
  await expect(listenEverywhere(neither)).rejects.toThrow('EACCES');
});
