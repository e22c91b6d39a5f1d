import { expect, test } from '@jest/globals';
import { listenFailure } from '../../../src/base/listen-failure.js';

test.each([
  [
    'listen EADDRINUSE: address already in use 127.0.0.1:80',
    'PORT_IN_USE',
    'KEY 127.0.0.1:80 is in use by another process; stop it or choose another port',
  ],
  [
    'No address added out of total 1 resolved\n errors: [listen EADDRINUSE: address already in use]',
    'PORT_IN_USE',
    'KEY 127.0.0.1:80 is in use by another process; stop it or choose another port',
  ],
  [
    'getaddrinfo ENOTFOUND nowhere',
    'BAD_ADDRESS',
    'KEY 127.0.0.1:80 cannot be resolved (ENOTFOUND); give an address of this machine, or leave the host out for all of them',
  ],
  [
    'bind EADDRNOTAVAIL 192.0.2.1',
    'BAD_ADDRESS',
    'KEY 127.0.0.1:80 is not an address of this machine; leave the host out to listen on all of them',
  ],
  [
    'listen EACCES: permission denied 127.0.0.1:80',
    'CANNOT_LISTEN',
    'cannot listen on KEY 127.0.0.1:80 (EACCES); check the address and the rights of this process',
  ],
  [
    'something else',
    'CANNOT_LISTEN',
    'cannot listen on KEY 127.0.0.1:80 (something else); check the address and the rights of this process',
  ],
])('%s', (said, code, message) => {
  const cause = new Error(said);
  expect(listenFailure('KEY', '127.0.0.1', 80, cause)).toMatchObject({ code, message, cause });
});
