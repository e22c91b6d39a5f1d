import type { Socket } from 'node:net';

type Answer = readonly [status: string, error: string];

const ANSWERS: Readonly<Record<string, Answer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request took too long to come whole'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too long'],
};
const NO_HTTP: Answer = ['400 Bad Request', 'that is no HTTP request'];

/** Answers in our form what never became a request, for which there is no route, and hangs up. */
export function refuseUnparsed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, told] = ANSWERS[error.code ?? ''] ?? NO_HTTP;
  const body = JSON.stringify({ error: told });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${body.length}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}
