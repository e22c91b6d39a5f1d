import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CERT_VARIABLE, KEY_VARIABLE } from './child-protocol.js';
import type { ServerReply, ServerRequest, Usage } from './child-protocol.js';

/** A server in a process of its own, so that its CPU and memory can be told from the load's. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /**
   * Starts a server script beside this file.
   * @param profileFolder where a CPU profile is written when the server ends; none without it.
   */
  static async start(
    script: string,
    identity: { certificate: string; key: string },
    profileFolder?: string,
  ): Promise<ServerProcess> {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const profiling =
      profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    const child = fork(fileURLToPath(new URL(script, import.meta.url)), {
      execArgv: ['--expose-gc', ...profiling],
      env: {
        ...process.env,
        [CERT_VARIABLE]: base64(identity.certificate),
        [KEY_VARIABLE]: base64(identity.key),
      },
    });
    const reply = await nextReply(child);
    if (!('port' in reply)) throw new Error(`${script} answered before it listened`);
    return new ServerProcess(child, reply.port);
  }

  async usage(): Promise<Usage> {
    const request: ServerRequest = { ask: 'usage' };
    this.child.send(request);
    const reply = await nextReply(this.child);
    if (!('usage' in reply)) throw new Error('the server answered something else');
    return reply.usage;
  }

  /**
   * Has one frame of so many bytes, each `fill`, written to every connection.
   * @returns to how many.
   */
  async deliver(bytes: number, fill: number): Promise<number> {
    const request: ServerRequest = { ask: 'deliver', bytes, fill };
    this.child.send(request);
    const reply = await nextReply(this.child);
    if (!('delivered' in reply)) throw new Error('the server answered something else');
    return reply.delivered;
  }

  /** Deliveries that were answered so far. */
  async answers(): Promise<number> {
    const request: ServerRequest = { ask: 'answers' };
    this.child.send(request);
    const reply = await nextReply(this.child);
    if (!('answers' in reply)) throw new Error('the server answered something else');
    return reply.answers;
  }

  /** Ends the process, by force after 3 s. */
  async stop(): Promise<void> {
    const ended = new Promise<void>((done) => this.child.once('exit', () => done()));
    const request: ServerRequest = { ask: 'stop' };
    this.child.send(request);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 3_000);
    await ended;
    clearTimeout(timer);
  }
}

function nextReply(child: ChildProcess): Promise<ServerReply> {
  return new Promise((settle, fail) => {
    const onExit = (code: number | null): void => fail(new Error(`the server ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      settle(message as ServerReply);
    });
  });
}
