/** An upstream in a process of its own, so that its CPU is not counted: answers every request. */
import { grpcServer } from '../../grpc/server-kinds.js';
import { Method } from '../../wire/grpc-methods.js';
import {
  UpstreamRequest,
  UpstreamResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';

const server = grpcServer({ address: '127.0.0.1:0' }, [
  {
    path: Method.ProcessRequest,
    handle: (bytes, _, respond) => {
      const { data, clientSeqId } = decodeMessage(UpstreamRequest, bytes);
      respond(encodeMessage(UpstreamResponse, { code: 200, message: 'ok', data, clientSeqId }));
    },
  },
]);
await server.start();
process.send?.(server.port);
// Whatever ends the parent ends this as well.
process.once('disconnect', () => process.exit(0));
