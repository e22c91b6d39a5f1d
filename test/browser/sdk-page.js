// The application on the page of the browser SDK's tests, which they drive as `app`.
import * as gatesvr from '/gatesvr.js';

const { performance } = globalThis;
const clients = new Map();

const app = {
  gatesvr,

  /** Makes a client under a name and notes what happens to it. */
  make(name, options) {
    const client = new gatesvr.GatewayClient({ openid: name, ...options });
    const log = [];
    const pushes = [];
    client.on('connected', ({ transport, resumed, recovered }) =>
      log.push(`${transport} ${resumed ? 'resumed' : 'new'} ${recovered ? 'whole' : 'holes'}`),
    );
    client.on('closed', ({ reason }) => log.push(`closed: ${reason}`));
    client.on('error', (error) => log.push(`error: ${error.message}`));
    client.onPush((push) => pushes.push({ seq: push.seq, title: push.title }));
    clients.set(name, { client, log, pushes });
  },

  async connect(name, options) {
    app.make(name, options);
    await clients.get(name).client.connect();
    return app.tell(name);
  },

  /** The error that connect() rejects with. */
  async failure(name, options) {
    try {
      await app.connect(name, options);
      return null;
    } catch (error) {
      const typed = error instanceof gatesvr.ConnectError;
      return { typed, code: error.code, message: error.message };
    }
  },

  /** Answers of requests made at once, in the order of the requests. */
  async ask(name, ...texts) {
    const { client } = clients.get(name);
    const answers = await Promise.all(texts.map((data) => client.request('echo', { data })));
    return answers.map(({ text }) => text);
  },

  tell(name) {
    const { client, log, pushes } = clients.get(name);
    const { transport, sessionId, state } = client;
    return { transport, sessionId, state, log, pushes };
  },

  /** ms from `new` to the first answer. */
  async first(name, options) {
    const begun = performance.now();
    const client = new gatesvr.GatewayClient({ openid: name, ...options });
    void client.connect();
    await client.request('echo', { data: 'hello' });
    const took = performance.now() - begun;
    await client.stop();
    return took;
  },

  stop: (name) => clients.get(name).client.stop(),
};

globalThis.app = app;
