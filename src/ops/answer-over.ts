import type { FastifyReply } from 'fastify';

/**
 * Calls back once, when an answer is over: sent as a whole, or its connection is lost. Node emits
 * `close` only on the response that has the socket, not on those that wait behind it because their
 * requests were sent together (RFC 9112 section 9.3.2); the socket tells for all of them.
 */
export function onAnswerOver({ raw: response, request }: FastifyReply, over: () => void): void {
  const { socket } = request.raw;
  // One for each answer that waits: Node would take more than ten for a leak.
  socket.setMaxListeners(0);
  const once = (): void => {
    response.off('close', once);
    socket.off('close', once);
    over();
  };
  response.once('close', once);
  socket.once('close', once);
}
