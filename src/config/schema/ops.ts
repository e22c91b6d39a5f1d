import { Leaf, file, flag, text } from '../leaf.js';

/** What fits behind `Authorization: Bearer`, and is not guessed. */
const TOKEN = /^[\x21-\x7e]{16,1024}$/;

/** Who may see and change things over server.http_addr and server.metrics_addr. */
export const ops = {
  admin_token: token(
    'What calls that change or profile something must give, as `Authorization: Bearer TOKEN`. None: only callers on this machine may, and no web page.',
  ),
  read_token: token(
    'What calls that read must give in the same way, Prometheus too; /live, /ready and /ping need none, and admin_token serves as well. None: everyone may read.',
  ),
  console: flag(
    'true',
    'Serve the console at /console of http_addr. The page has no data of its own: what it shows it asks for like any other reader.',
  ),
  tls: {
    cert_file: file(
      'Certificate chain of http_addr and metrics_addr, PEM. With it both speak TLS only. Read again when it changes.',
    ),
    key_file: file('Private key of cert_file, PEM.'),
    client_ca_file: file(
      'Who signs the certificates that callers must show, PEM. None: no one must.',
    ),
  },
};

function token(description: string): Leaf<string | null> {
  const schema = text('').schema.refine((given) => given === null || TOKEN.test(given), {
    message: 'must be 16 characters or more of ASCII, without spaces or line ends',
  });
  return new Leaf(schema, 'text', '', description, '', true);
}
