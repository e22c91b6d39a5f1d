import { JwtAuthenticator } from '../auth/jwt-authenticator.js';
import type { KeySource } from '../auth/key-ring.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../telemetry/log.js';
import type { LabelledTally } from '../telemetry/tally.js';

/** What verifies tokens, or null where every token is accepted (auth.mode). */
export function jwtAuthenticator(
  { auth }: Config,
  clock: Clock,
  log: Logger,
  failures: LabelledTally,
): JwtAuthenticator | null {
  if (auth.mode === 'none') return null;
  const { issuer, audience, clockTolerance } = auth;
  const options = { source: keySource(auth), issuer, audience, clockTolerance };
  return new JwtAuthenticator(options, clock, log, failures);
}

/** Loading the configuration made sure that exactly one is set. */
function keySource({ secret, keyFile, jwksFile }: Config['auth']): KeySource {
  if (secret !== null) return { kind: 'secret', secret };
  if (keyFile !== null) return { kind: 'key_file', path: keyFile };
  return { kind: 'jwks_file', path: jwksFile ?? '' };
}
