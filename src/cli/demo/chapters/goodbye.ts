import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { same } from '../verify.js';

/** The clients leave, and the gateway with its upstreams stops. */
export async function goodbye(stage: Stage, transcript: Transcript): Promise<void> {
  const { deployment, service, visitors } = stage;
  transcript.chapter('Everybody leaves');
  await transcript.claim('every client logs out and stops', async () => {
    const answers = await Promise.all(visitors.map((visitor) => visitor.ask('logout')));
    same(
      answers.map(({ code }) => code),
      visitors.map(({ zone }) => (zone === '003' ? 409 : 200)),
      'codes',
    );
    await Promise.all(visitors.map(({ client }) => client.stop('user_logout')));
  });
  await transcript.claim('their sessions are gone: a push finds nobody', async () => {
    const codes = await Promise.all(
      visitors.map(({ name }) =>
        service.push({ openid: name, type: 'mail' }).then(
          () => 'accepted',
          (error: { code?: string }) => error.code,
        ),
      ),
    );
    same(
      codes,
      visitors.map(() => 'OPENID_OFFLINE'),
      'error codes',
    );
  });
  await transcript.claim('gateway and upstreams end with exit code 0', async () => {
    same(await deployment.processes.shutDown(), [0, 0, 0, 0, 0, 0, 0], 'exit codes');
  });
}
