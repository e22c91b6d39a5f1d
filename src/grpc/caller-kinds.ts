import type { TlsSource } from './caller-tls.js';
import type { ChannelTuning } from './channel-options.js';
import { grpcJsCallers } from './grpc-js-caller.js';
import { Http2Caller } from './http2-caller.js';
import { FramedConnection } from './h2/framed-connection.js';
import { Http2Connection } from './http2-connection.js';
import type { CallerFactory } from './unary-caller.js';

/** The interchangeable implementations of UnaryCaller (configuration key grpc.caller). */
export type CallerKind = 'framed' | 'http2' | 'grpc-js';

/** Makes callers over node:http2 that share their settings. */
export function http2Callers(
  tuning: ChannelTuning = {},
  tls?: TlsSource,
): (address: string) => Http2Caller {
  return (address) =>
    new Http2Caller(address, (target, owner) => new Http2Connection(target, owner), tuning, tls);
}

/** Makes callers with their own HTTP/2 framing that share their settings. */
export function framedCallers(
  tuning: ChannelTuning = {},
  tls?: TlsSource,
): (address: string) => Http2Caller {
  return (address) =>
    new Http2Caller(address, (target, owner) => new FramedConnection(target, owner), tuning, tls);
}

/** Makes callers of a kind that share their settings. */
export function callersOf(
  kind: CallerKind,
  tuning: ChannelTuning = {},
  tls: TlsSource = () => null,
): CallerFactory {
  switch (kind) {
    case 'framed':
      return framedCallers(tuning, tls);
    case 'http2':
      return http2Callers(tuning, tls);
    case 'grpc-js':
      return grpcJsCallers(tuning, tls);
  }
}
