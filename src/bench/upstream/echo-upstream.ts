/**
 * An upstream in a process of its own, so that its CPU is counted apart: answers every request, and `cpu` with the us
 * that it has used. Argument: the kind of server.
 */
import { grpcServer } from '../../grpc/server-kinds.js';
import { Method } from '../../wire/grpc-methods.js';
import {
  UpstreamRequest,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';

const kind = process.argv[2] === 'grpc-js' ? 'grpc-js' : 'framed';
const server = grpcServer({ kind, address: '127.0.0.1:0' }, [
  {
    path: Method.ProcessRequest,
    handle: (bytes, _, respond) => {
      const { data, clientSeqId } = decodeMessage(UpstreamRequest, bytes);
      respond(encodeMessage(UpstreamResponse, { code: 200, message: 'ok', data, clientSeqId }));
    },
  },
]);
await server.start();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.send?.(server.port);
// Whatever ends the parent ends this as well.
process.once('disconnect', () => process.exit(0));
