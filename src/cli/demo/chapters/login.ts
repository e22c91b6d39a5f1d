import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { holds, readPage, same } from '../verify.js';

/** Six clients connect over QUIC and log in. */
export async function login(
  { deployment, visitors }: Stage,
  transcript: Transcript,
): Promise<void> {
  transcript.chapter('Six clients connect and log in');
  transcript.tell('the zone of a client is MD5(openid) mod 6, worked out here once more');
  await transcript.must('every client has a session over QUIC', async () => {
    await Promise.all(visitors.map(({ client }) => client.connect()));
    const ids = new Set(visitors.map(({ client }) => client.sessionId));
    same(ids.size, visitors.length, 'different session ids');
    return visitors.map(({ name }) => name).join(', ');
  });
  await transcript.must('"hello" is answered 200 by the upstream of the right zone', async () => {
    const answers = await Promise.all(visitors.map((visitor) => visitor.ask('hello')));
    answers.forEach(({ code, headers }, index) => {
      same(code, 200, `${visitors[index]?.name}'s code`);
      same(headers['zone'], visitors[index]?.zone, `${visitors[index]?.name}'s zone`);
    });
    return visitors.map(({ name, zone }) => `${name} ${zone}`).join(', ');
  });
  await transcript.claim('each session counts its own requests, from 1', async () => {
    const answers = await Promise.all(visitors.map((visitor) => visitor.ask('session_info')));
    for (const [index, answer] of answers.entries()) {
      const info = answer.json() as { client_seq_id: number; session_id: string };
      same(info.client_seq_id, 2, 'number of the second request');
      const known = visitors[index]?.client.sessionId;
      holds(info.session_id === known, `the upstream was told another session than ${known}`);
    }
  });
  await transcript.claim('operators see six sessions: /health, /stats and /metrics', async () => {
    const { httpAddress, metricsAddress } = deployment.place;
    const health = (await readPage(`${httpAddress}/health`).then(JSON.parse)) as Health;
    same([health.status, health.active_connections], ['healthy', 6], '/health');
    const stats = (await readPage(`${httpAddress}/stats`).then(JSON.parse)) as Stats;
    same(stats.total_sessions, 6, '/stats');
    const metrics = await readPage(`${metricsAddress}/metrics`);
    const [, gauge] = /^gatesvr_active_connections (\d+)$/m.exec(metrics) ?? [];
    same(gauge, '6', 'gatesvr_active_connections');
    return `http://${httpAddress}, http://${metricsAddress}/metrics`;
  });
}

interface Health {
  readonly status: string;
  readonly active_connections: number;
}

interface Stats {
  readonly total_sessions: number;
}
