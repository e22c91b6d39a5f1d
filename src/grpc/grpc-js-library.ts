import { createRequire } from 'node:module';
import type * as GrpcJs from '@grpc/grpc-js';

const require = createRequire(import.meta.url);

/**
 * The library of the gRPC project, loaded when it is first wanted: that takes 120 ms and 13 MB, and few processes
 * ever want it.
 */
export const grpcJs = (): typeof GrpcJs => require('@grpc/grpc-js') as typeof GrpcJs;

/** A call as its channel makes it, below generated stubs. */
export type GrpcJsCall = ReturnType<GrpcJs.Channel['createCall']>;
