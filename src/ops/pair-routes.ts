import type { FastifyRequest } from 'fastify';
import { CodedError } from '../base/errors.js';
import type { BackupStats } from '../replication/backup-stats.js';
import type { HttpListener } from './http-listener.js';
import { HttpRefusal } from './http-refusal.js';
import type { RouteParts } from './route-parts.js';

/** The pair that this gateway belongs to: its state, the planned switch, and solo. */
export function addPairRoutes({ routes }: HttpListener, parts: RouteParts): void {
  const { source, controls, admin, reader, callerOf, log } = parts;
  const stats = (): BackupStats => {
    const found = source.pair();
    if (found === null) throw new HttpRefusal(404, 'this gateway is not one of a pair');
    return found;
  };
  routes.get('/backup/stats', reader, stats);
  routes.post('/backup/switch', admin, (request, reply) => {
    const mode = modeOf(request);
    stats();
    orConflict(() => controls.switchRoles(mode));
    log.warn({ mode, by: callerOf(request.raw) }, 'an operator switches the roles of the pair');
    return reply.code(202).send(stats());
  });
  routes.post('/backup/solo', admin, (request) => {
    stats();
    orConflict(() => controls.goSolo());
    log.warn({ by: callerOf(request.raw) }, 'an operator says that the peer is gone');
    return stats();
  });
}

/** @throws {HttpRefusal} 409 where the gateway says why not. */
function orConflict(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (error instanceof CodedError) throw new HttpRefusal(409, error.message);
    throw error;
  }
}

function modeOf({ query }: FastifyRequest): 'primary' | 'backup' {
  const { mode } = query as { mode?: unknown };
  if (mode === 'primary' || mode === 'backup') return mode;
  throw new HttpRefusal(400, 'give mode=primary or mode=backup: what this gateway shall become');
}
