import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { chooseSubprotocol, originAllowed, refusalOf } from '../../../src/edge/ws-admission.js';

describe('originAllowed', () => {
  const host = 'gate.example.com:8453';
  it.each([
    ['no origin', undefined, [], true],
    ['a page of the same host', 'https://gate.example.com', [], true],
    ['a page of the same host on another port', 'http://gate.example.com:3000', [], true],
    ['the same host in capitals', 'https://GATE.example.com', [], true],
    ['another host', 'https://evil.example', [], false],
    ['a host that begins like it', 'https://gate.example.com.evil.example', [], false],
    ['a host that ends like it', 'https://evilgate.example.com', [], false],
    ['the host as a user name', 'https://gate.example.com@evil.example', [], false],
    ['a file', 'null', [], false],
    ['an empty origin', '', [], false],
    ['no URL', '%', [], false],
    ['one that is listed', 'https://game.test', ['https://game.test'], true],
    ['a listed host in another scheme', 'http://game.test', ['https://game.test'], false],
    ['a listed host on another port', 'https://game.test:1', ['https://game.test'], false],
    ['a host below a listed one', 'https://a.b.game.test', ['https://*.game.test'], true],
    ['the listed parent itself', 'https://game.test', ['https://*.game.test'], false],
    ['an empty label', 'https://.game.test', ['https://*.game.test'], false],
    ['a slash for the star', 'https://evil.example/.game.test', ['https://*.game.test'], false],
    ['a colon for the star', 'https://evil:1.game.test', ['https://*.game.test'], false],
    ['anything', 'https://evil.example', ['*'], true],
    ['an app', 'capacitor://localhost', ['capacitor://localhost'], true],
  ])('%s', (_what, origin, allowed, expected) => {
    expect(originAllowed(origin, host, allowed)).toBe(expected);
  });

  it('compares with a host that is an address', () => {
    expect(originAllowed('http://[::1]:3000', '[::1]:8453', [])).toBe(true);
    expect(originAllowed('http://127.0.0.1', '127.0.0.1:8453', [])).toBe(true);
    expect(originAllowed('http://127.0.0.1', undefined, [])).toBe(false);
    expect(originAllowed('http://127.0.0.1', ']', [])).toBe(false);
  });
});

describe('subprotocols', () => {
  it('are chosen in our order, and none where none is ours', () => {
    expect(chooseSubprotocol(new Set(['gatesvr.json', 'gatesvr']))).toBe('gatesvr');
    expect(chooseSubprotocol(new Set(['mqtt', 'gatesvr.json']))).toBe('gatesvr.json');
    expect(chooseSubprotocol(new Set(['gatesvr2']))).toBeNull();
  });
});

describe('refusalOf', () => {
  const request = (url: string, protocol?: string): IncomingMessage =>
    ({
      url,
      headers: {
        'sec-websocket-version': '13',
        ...(protocol === undefined ? {} : { 'sec-websocket-protocol': protocol }),
      },
    }) as unknown as IncomingMessage;

  it.each([
    ['/gatesvr', 'gatesvr', null],
    ['/gatesvr?token=x', 'gatesvr', null],
    ['/gatesvr', 'other, gatesvr.json', null],
    ['/gatesvr', 'other', 400],
    ['/gatesvr', undefined, 400],
    ['/gatesvr/', 'gatesvr', 404],
    ['/', 'gatesvr', 404],
    ['/gatesvr/../gatesvr', 'gatesvr', 404],
    ['', 'gatesvr', 404],
  ])('%s offering %s: %s', (url, protocol, status) => {
    expect(refusalOf(request(url, protocol))?.status ?? null).toBe(status);
  });
});
