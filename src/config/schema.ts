import { auth } from './schema/auth.js';
import { backup, journal } from './schema/backup.js';
import { Leaf } from './leaf.js';
import { overload_protection } from './schema/overload.js';
import { ops } from './schema/ops.js';
import { server } from './schema/server.js';
import { session } from './schema/session.js';
import { routing } from './schema/routing.js';
import { grpc, log, quic, upstream_tls, watchdog } from './schema/transport.js';
import { tracing } from './schema/tracing.js';
import { websocket } from './schema/websocket.js';
import { webtransport } from './schema/webtransport.js';

/** Every key of the configuration, as it is written in YAML. */
export const schema = {
  server,
  auth,
  overload_protection,
  session,
  quic,
  websocket,
  webtransport,
  routing,
  grpc,
  upstream_tls,
  backup,
  journal,
  ops,
  log,
  tracing,
  watchdog,
};

/** Keys of deployed files that tuned another runtime: accepted, without effect (WIRE.md). */
export const IGNORED_KEYS: ReadonlySet<string> = new Set([
  'start_processor',
  'async',
  'server.upstream_services',
]);

/** A level of the schema: keys, each a Leaf or a section. */
export interface Section {
  readonly [key: string]: Leaf<unknown> | Section;
}

/** Every leaf with its path (`backup.sync.mode`), in the order of the schema. */
export function leaves(section: Section = schema, prefix = ''): [string, Leaf<unknown>][] {
  return Object.entries(section).flatMap(([key, entry]): [string, Leaf<unknown>][] =>
    entry instanceof Leaf ? [[prefix + key, entry]] : leaves(entry, `${prefix}${key}.`),
  );
}

/** The environment variable of a key: `GATESVR_QUIC_ADDR` for server.*, else the whole path. */
export function environmentName(path: string): string {
  return `GATESVR_${path
    .replace(/^server\./, '')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}
