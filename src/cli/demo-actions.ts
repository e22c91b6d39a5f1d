import { ReplyError } from '../sdk/upstream/index.js';
import type { Reply, RequestContext, UpstreamServer } from '../sdk/upstream/index.js';
import { calculate } from './arithmetic.js';
import type { DEMO_ACTIONS } from './demo-action-names.js';
import { DemoUsers } from './demo-users.js';

/** Most pushes that one request of `before` or `after` may ask for. */
const MAX_PUSHES = 20;
/** Most pushes of one burst, and the longest pause between two of them, ms. */
const MAX_BURST = 500;
const MAX_INTERVAL_MS = 1_000;
const DEFAULT_LISTED = 100;
const MIB = 1024 * 1024;

/**
 * A small but real service: users log in and out, compute, look at each other and push. Gives a
 * server its handlers for one zone.
 */
export class DemoActions {
  private readonly users = new DemoUsers();
  private readonly startedAt = Date.now();
  private requests = 0;

  constructor(
    private readonly server: UpstreamServer,
    private readonly zone: string,
  ) {
    const handlers: Record<
      (typeof DEMO_ACTIONS)[number],
      (r: RequestContext) => Reply | Promise<Reply>
    > = {
      hello: (request) => this.hello(request),
      echo: (request) => ({ data: request.data, headers: request.params }),
      time: (request) => json(timeIn(request.params['timezone'] ?? 'UTC')),
      calculate: (request) => this.calculate(request),
      status: () => this.status(),
      session_info: (request) => this.sessionInfo(request),
      user_list: (request) => this.userList(request),
      broadcast: (request) => this.broadcast(request),
      before: (request) => this.pushes(request, 'before'),
      after: (request) => this.pushes(request, 'after'),
      burst: (request) => this.burst(request),
      logout: (request) => this.logout(request),
    };
    for (const [action, handler] of Object.entries(handlers)) {
      server.handle(action, (request) => {
        this.requests++;
        this.users.saw(request.openid);
        return handler(request);
      });
    }
  }

  /** The login of deployed clients (WIRE.md): code 200, the zone in a header. */
  private hello({ openid, sessionId }: RequestContext): Reply {
    const again = this.users.enter(openid, sessionId);
    const greeting = again ? `welcome back, ${openid}` : `welcome, ${openid}`;
    return {
      ...json({ greeting, zone: this.zone, users: this.users.count }),
      headers: { zone: this.zone },
    };
  }

  /** `expression` or the data; or operation, a and b as parameters. */
  private calculate({ params, text }: RequestContext): Reply {
    const { operation, a = '', b = '', expression = text } = params;
    const signs: Record<string, string> = { add: '+', subtract: '-', multiply: '*', divide: '/' };
    const sign = operation === undefined ? undefined : (signs[operation] ?? operation);
    const asked = sign === undefined ? expression : `(${a}) ${sign} (${b})`;
    let result: number;
    try {
      result = calculate(asked);
    } catch (error) {
      throw new ReplyError(400, (error as Error).message);
    }
    if (!Number.isFinite(result)) throw new ReplyError(400, `${asked} has no finite result`);
    return json({ expression: asked, result });
  }

  private status(): Reply {
    return json({
      zone: this.zone,
      uptime_s: Math.floor((Date.now() - this.startedAt) / 1_000),
      users: this.users.count,
      requests: this.requests,
      memory_mib: Math.round(process.memoryUsage.rss() / MIB),
      pid: process.pid,
    });
  }

  private sessionInfo({ sessionId, openid, clientSeqId, headers }: RequestContext): Reply {
    const user = this.users.get(openid);
    return json({
      session_id: sessionId,
      openid,
      zone: this.zone,
      client_seq_id: clientSeqId,
      headers,
      logged_in: user !== undefined,
      since: user === undefined ? null : new Date(user.since).toISOString(),
      requests: user?.requests ?? 0,
    });
  }

  private userList({ params }: RequestContext): Reply {
    const limit = wholeNumber(params, 'limit', DEFAULT_LISTED, 1_000);
    return json({ zone: this.zone, total: this.users.count, users: this.users.list(limit) });
  }

  private async broadcast({ openid, params, text }: RequestContext): Promise<Reply> {
    const title = params['title'] ?? `from ${openid}`;
    const content = text || (params['content'] ?? 'hello to all');
    const metadata = { from: openid };
    const sent = await this.server.broadcast({ type: 'broadcast', title, content, metadata });
    return json({ sent_count: sent });
  }

  private async pushes(request: RequestContext, when: 'before' | 'after'): Promise<Reply> {
    const count = wholeNumber(request.params, 'count', 1, MAX_PUSHES);
    for (let number = 1; number <= count; number++) {
      const push = { type: when, title: `${number} of ${count}`, content: request.text || when };
      if (when === 'before') await request.pushBefore(push);
      else await request.pushAfter(push);
    }
    return json({ pushed: count, when });
  }

  /** Answers at once and pushes then, one after the other, whether or not the user is connected. */
  private burst({ openid, params, text }: RequestContext): Reply {
    const count = wholeNumber(params, 'count', 20, MAX_BURST);
    const interval = wholeNumber(params, 'interval', 50, MAX_INTERVAL_MS);
    void this.pushOneByOne(openid, text || 'burst', count, interval);
    return json({ pushing: count, interval_ms: interval });
  }

  private async pushOneByOne(
    openid: string,
    content: string,
    count: number,
    interval: number,
  ): Promise<void> {
    for (let number = 1; number <= count; number++) {
      const push = { openid, type: 'burst', title: `${number} of ${count}`, content };
      // The user may be gone for good, or its outbox full: the rest may still arrive.
      await this.server.push({ ...push, retryForMs: MAX_INTERVAL_MS }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, interval));
    }
  }

  private logout({ openid }: RequestContext): Reply {
    const user = this.users.leave(openid);
    if (user === undefined)
      throw new ReplyError(409, `${openid} is not logged in; send hello first`);
    return json({ goodbye: openid, online_ms: Date.now() - user.since });
  }
}

function timeIn(timezone: string): object {
  const now = new Date();
  try {
    const local = now.toLocaleString('sv-SE', { timeZone: timezone });
    return { iso: now.toISOString(), unix_ms: now.getTime(), timezone, local };
  } catch {
    throw new ReplyError(400, `unknown timezone ${timezone}; use a name such as Europe/Berlin`);
  }
}

function wholeNumber(
  params: Readonly<Record<string, string>>,
  name: string,
  standard: number,
  most: number,
): number {
  const value = Number(params[name] ?? standard);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new ReplyError(400, `${name} must be a whole number from 1 to ${most}`);
}

function json(value: object): { data: string } {
  return { data: JSON.stringify(value) };
}
