import { choice, duration, file, list, text } from '../leaf.js';

/** How a client proves that it is its openid. */
export const auth = {
  mode: choice(
    'none',
    ['none', 'jwt'],
    'none: every token is accepted, upstreams prove identity. jwt: START needs a signed token whose sub is the openid.',
  ),
  secret: text('Shared secret of HS256 tokens, at least 32 bytes. One of three.', true),
  key_file: file(
    'PEM public key: RSA (RS256), EC P-256 (ES256) or Ed25519 (EdDSA). Read again when it changes. One of three.',
  ),
  jwks_file: file('JSON Web Key Set of public keys. Read again when it changes. One of three.'),
  issuer: text('What iss must say; none: anything.'),
  audience: list(
    'aud must name one of these; none: anything.',
    /^\S{1,256}$/,
    'names without spaces, separated by commas',
  ),
  clock_tolerance: duration('5s', "How far the clock of the tokens' issuer may be off.", {
    max: 600_000,
  }),
  grace: duration(
    '60s',
    'A connection whose token ran out is told so, and closed after this unless it brings a new one.',
  ),
};
