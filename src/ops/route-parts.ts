import type { IncomingMessage } from 'node:http';
import type { RouteShorthandOptions } from 'fastify';
import type { Logger } from '../telemetry/log.js';
import type { OpsControls, OpsSource } from './ops-source.js';

/** What routes that change something are given. */
export interface RouteParts {
  readonly source: OpsSource;
  readonly controls: OpsControls;
  readonly log: Logger;
  /** Lets only those pass who may change things. */
  readonly admin: RouteShorthandOptions;
  /** Lets only those pass who may look. */
  readonly reader: RouteShorthandOptions;
  readonly callerOf: (request: IncomingMessage) => string;
}
