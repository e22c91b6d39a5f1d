import { SystemClock } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { GrpcJsServer } from './grpc-js-server.js';
import type { GrpcServer, GrpcServerOptions } from './grpc-server.js';
import { FramedServer } from './h2/framed-server.js';
import type { StreamMethod, UnaryMethod } from './server-method.js';

/** Makes a server of the kind that the options name. */
export function grpcServer(
  options: GrpcServerOptions,
  methods: readonly UnaryMethod[],
  clock: Clock = new SystemClock(),
  streams: readonly StreamMethod[] = [],
): GrpcServer {
  switch (options.kind ?? 'framed') {
    case 'framed':
      return new FramedServer(options, methods, clock, streams);
    case 'grpc-js':
      return new GrpcJsServer(options, methods, clock, streams);
  }
}
