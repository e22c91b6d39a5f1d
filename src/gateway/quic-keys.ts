import { hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StartupError, messageOf } from '../base/errors.js';
import { replaceDurably } from '../journal/durable-file.js';
import type { QuicKeys } from '../quic/quic-server.js';

const SECRET_BYTES = 32;

/**
 * The keys of Retry tokens, session tickets and stateless resets, derived (HKDF-SHA256, RFC 5869)
 * from the secret of the pair, else from a key file that is made when missing: clients of a killed
 * gateway then understand the one that follows it (REPLICATION.md, "What clients need").
 * @returns undefined where neither is configured: the keys then live as long as the process.
 * @throws {StartupError} where the key file cannot be read, made or understood.
 */
export function quicKeys(
  clusterSecret: string | null,
  keyFile: string | null,
): QuicKeys | undefined {
  if (clusterSecret !== null) return derive(Buffer.from(clusterSecret, 'utf8'));
  return keyFile === null ? undefined : derive(readOrMake(keyFile));
}

function derive(secret: Uint8Array): QuicKeys {
  const key = (purpose: string, bytes: number) =>
    new Uint8Array(hkdfSync('sha256', secret, '', `gatesvr quic ${purpose}`, bytes));
  return { reset: key('reset', 32), retry: key('retry', 32), ticket: key('ticket', 48) };
}

function readOrMake(path: string): Uint8Array {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, 'hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return make(path);
    throw new StartupError('KEY_FILE', `cannot read quic.retry_key_file: ${messageOf(error)}`);
  }
  throw new StartupError(
    'KEY_FILE',
    `${path} is no key file of ours; move it away to get a new one`,
  );
}

/** Whole or not at all: half a file, of a disk that was full, would stop every start after this one. */
function make(path: string): Uint8Array {
  const secret = randomBytes(SECRET_BYTES);
  try {
    replaceDurably(path, `${secret.toString('hex')}\n`);
  } catch (error) {
    throw new StartupError('KEY_FILE', `cannot write quic.retry_key_file: ${messageOf(error)}`);
  }
  return secret;
}
