import { describe, expect, it } from '@jest/globals';
import { CodedError, StartupError, messageOf } from '../../../src/base/errors.js';
import { memoised } from '../../../src/base/lifecycle.js';

describe('memoised', () => {
  it('runs its step once, however often it is called', async () => {
    let runs = 0;
    const stop = memoised(async () => {
      await Promise.resolve();
      runs++;
    });
    await Promise.all([stop(), stop()]);
    await stop();
    expect(runs).toBe(1);
  });

  it('fails every caller with the failure of the one run', async () => {
    let runs = 0;
    const stop = memoised(async () => {
      runs++;
      await Promise.reject(new Error('disk full'));
    });
    await expect(stop()).rejects.toThrow('disk full');
    await expect(stop()).rejects.toThrow('disk full');
    expect(runs).toBe(1);
  });
});

describe('errors', () => {
  it('carry a stable code beside their message', () => {
    const error = new StartupError('PORT_IN_USE', 'port 1 is taken', { cause: 'x' });
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ name: 'StartupError', code: 'PORT_IN_USE', cause: 'x' });
    expect(messageOf(error)).toBe('port 1 is taken');
    expect(messageOf(7)).toBe('7');
  });
});
