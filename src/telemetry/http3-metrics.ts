import { tallyTable } from './tally-table.js';

const TALLIES = {
  requests: [
    'gatesvr_http3_requests_total',
    'HTTP/3 requests that were answered, by status',
    'status',
    ['200', '404'],
  ],
  faults: [
    'gatesvr_http3_faults_total',
    'HTTP/3 requests and connections that broke a rule or were broken off, by error code',
    'code',
    ['request_cancelled', 'message_error'],
  ],
  webTransportRefused: [
    'gatesvr_webtransport_refused_total',
    'Streams and datagrams of WebTransport clients that nobody here wants, by kind',
    'kind',
    ['bidi_stream', 'uni_stream', 'stray_stream', 'datagram'],
  ],
} as const;

/** What the HTTP/3 edge counts. */
export class Http3Metrics extends tallyTable(TALLIES) {}
