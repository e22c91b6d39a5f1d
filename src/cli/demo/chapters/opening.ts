import { zones } from '../people.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';

/** A gateway and six upstreams come up, each a process of its own. */
export async function opening({ deployment }: Stage, transcript: Transcript): Promise<void> {
  const { place, processes } = deployment;
  transcript.chapter('A gateway and six upstreams start');
  transcript.tell(`certificates, configuration and state are in ${processes.folder}`);
  await transcript.must('the gateway serves QUIC and gRPC', async () => {
    const { pid } = await deployment.startGateway();
    return `udp ${place.quicAddress}, grpc ${place.grpcAddress}, process ${pid}`;
  });
  await transcript.must('an upstream has registered for each of the six zones', async () => {
    const started = await Promise.all(zones.map((zone) => deployment.startUpstream(zone)));
    return `processes ${started.map(({ pid }) => pid).join(', ')}`;
  });
}
