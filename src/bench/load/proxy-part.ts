import { servePart } from './load-process.js';
import { UdpProxy } from './udp-proxy.js';

// A lossy network in a process of its own; arguments: port of the gateway, share of datagrams that are
// lost either way. It loses nothing before `impair`; `rebind` moves all clients to other ports.
const [targetPort = 0, loss = 0] = process.argv.slice(2).map(Number);
const proxy = await UdpProxy.start({ targetPort, seed: 1 });
servePart(proxy.port, {
  impair: () => {
    proxy.toServer.loss = proxy.toClient.loss = loss;
    return null;
  },
  rebind: () => {
    proxy.rebind();
    return null;
  },
  lost: () => proxy.counters.toServer.lost + proxy.counters.toClient.lost,
});
