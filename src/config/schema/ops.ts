import { Leaf, text } from '../leaf.js';

/** What fits behind `Authorization: Bearer`, and is not guessed. */
const TOKEN = /^[\x21-\x7e]{16,1024}$/;

/** Who may change things over server.http_addr. */
export const ops = {
  admin_token: new Leaf(
    text('').schema.refine((token) => token === null || TOKEN.test(token), {
      message: 'must be 16 characters or more of ASCII, without spaces',
    }),
    'text',
    '',
    'What calls that change or profile something must give, as `Authorization: Bearer TOKEN`. None: only callers on this machine may, and no web page.',
    '',
    true,
  ),
};
