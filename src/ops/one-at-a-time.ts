import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Serves the requests of a connection one at a time. One that comes before the answer to the one before was sent
 * (pipelining, RFC 9112 section 9.3.2) is not looked at, and the connection ends behind that answer, so that its client
 * may ask again: a read of the system's holds thousands of them, and all would be answered in one turn.
 */
export function oneAtATime(serve: RequestListener): RequestListener {
  const answering = new WeakMap<Socket, ServerResponse>();
  return (request, response) => {
    const { socket } = request;
    // It gets its socket when the one before is through.
    if (response.socket !== null) {
      answering.set(socket, response);
      serve(request, response);
      return;
    }
    const before = answering.get(socket);
    if (before === undefined) return;
    answering.delete(socket);
    socket.pause();
    before.once('finish', () => socket.destroySoon());
  };
}
