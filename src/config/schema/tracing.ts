import { Leaf, duration, flag, text } from '../leaf.js';

/** Decimals are enough down to one request in a million. */
const RATIO = /^(?:0|1|0?\.\d{1,6}|0\.\d{1,6}|1\.0)$/;
/** Names and values of HTTP headers (RFC 9110 section 5.6.2 and 5.5), separated by commas. */
const NAME = "[\\w!#$%&'*+.^`|~-]+";
const VALUE = '[\\x20-\\x2b\\x2d-\\x7e]*';
const HEADERS = new RegExp(`^${NAME}=${VALUE}(?:, *${NAME}=${VALUE})*$`);

/** Spans of requests, for a collector that speaks OTLP. */
export const tracing = {
  endpoint: new Leaf(
    text('').schema.refine((given) => given === null || isHttpUrl(given), {
      message: 'must be an URL such as http://localhost:4318/v1/traces',
    }),
    'URL',
    '',
    'Where spans of requests go: OTLP over HTTP, `http://localhost:4318/v1/traces`. None: no spans are made.',
  ),
  sample_ratio: new Leaf(
    text('')
      .schema.refine((given) => RATIO.test(given ?? ''), { message: 'must be from 0 to 1' })
      .transform(Number),
    'number from 0 to 1',
    '0.1',
    'Share of the requests without a traceparent of their own that get spans; with one, its sampled flag decides (trust_traceparent).',
  ),
  trust_traceparent: flag(
    'true',
    'A traceparent that says sampled gets spans whatever sample_ratio says. Set false where clients may be anybody: each could have spans made of all its requests.',
  ),
  service_name: text('What this gateway is called in its spans. None: gatesvr.'),
  headers: new Leaf(
    text('').schema.refine((given) => given === null || HEADERS.test(given), {
      message: 'must be name=value, several by commas',
    }),
    'name=value, ...',
    '',
    'HTTP headers of the exports, such as an API key.',
    '',
    true,
  ),
  timeout: duration('10s', 'How long one export may take, and the last one of a stop.', {
    min: 100,
  }),
};

function isHttpUrl(given: string): boolean {
  return /^https?:\/\//.test(given) && URL.canParse(given);
}
