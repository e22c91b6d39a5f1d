import { Actions } from './actions.js';
import { Api } from './api.js';
import { showBadge } from './badge.js';
import type { HelloBody, SampleBody } from './bodies.js';
import { Charts } from './charts.js';
import { byId, setText } from './dom.js';
import { Feed } from './feed.js';
import type { FeedState } from './feed.js';
import { Facts, Overview, loadFacts, pairFacts } from './overview.js';
import { SeriesStore } from './series.js';
import { SessionDetail } from './session-detail.js';
import { Sessions } from './sessions.js';
import { Stages } from './stages.js';
import { themeButton } from './theme.js';
import { Zones } from './zones.js';

/** Points that are kept: ten minutes, as the gateway does. */
const KEPT_POINTS = 600;
/** Samples come each second; from here on some are missing, ms. */
const GAP_MS = 3_500;
/** The part of the address that names an open session: it can be passed on. */
const SESSION_HASH = /^#session=([\w-]{1,64})$/;

const api = new Api();
const store = new SeriesStore(KEPT_POINTS, GAP_MS);
const overview = new Overview();
const charts = new Charts(store);
const zones = new Zones();
const stages = new Stages();
const load = new Facts(byId('load', HTMLElement));
const pair = new Facts(byId('pair', HTMLElement));
const sessions = new Sessions(api, (sessionId) => {
  location.hash = `session=${sessionId}`;
});
const actions = new Actions(api, () => feed.start());
const feed = new Feed(api, { hello, sample, state, history: (body) => store.load(body) });
let detail: SessionDetail | null = null;

setText(byId('host', HTMLElement), location.host);
themeButton(byId('theme-button', HTMLButtonElement), () => charts.draw());
addEventListener('hashchange', showDetail);
document.addEventListener('visibilitychange', () => charts.draw());
feed.start();

function hello(body: HelloBody): void {
  overview.greet(body);
  void actions.showLevel();
  void sessions.load();
  showDetail();
}

function sample(body: SampleBody): void {
  // Told apart among many tabs, and seen from afar when it does not serve.
  const title = `${body.state === 'serving' ? '' : `▲ ${body.state} `}${location.host} – GateSvr`;
  if (document.title !== title) document.title = title;
  store.add(body.point);
  overview.show(body);
  zones.show(body);
  sessions.showZones(zones.names);
  stages.show(body.performance);
  load.show(loadFacts(body.overload, body.performance));
  byId('pair-section', HTMLElement).hidden = body.pair === null;
  if (body.pair !== null) {
    pair.show(pairFacts(body.pair));
    charts.showLag();
  }
  actions.showPair(body.pair);
  charts.draw();
}

function state(now: FeedState): void {
  const target = byId('feed', HTMLElement);
  document.body.classList.toggle('stale', now.kind !== 'live');
  if (now.kind === 'live') showBadge(target, 'live', 'good');
  else if (now.kind === 'connecting') showBadge(target, 'connecting', 'warn');
  else showBadge(target, now.reason, 'bad');
  if (now.kind === 'lost' && now.status === 401) void actions.askToken(now.reason);
}

/** Opens the session that the address names, or closes what is open. */
function showDetail(): void {
  const sessionId = SESSION_HASH.exec(location.hash)?.[1] ?? null;
  if (detail?.sessionId === sessionId) return;
  detail?.close();
  detail = null;
  sessions.mark(sessionId);
  if (sessionId === null) return;
  const opened = new SessionDetail(sessionId, {
    api,
    kick: (id, openid) => actions.kick(id, openid),
    askToken: (why) => actions.askToken(why),
    onClose: () => {
      void sessions.load();
      if (detail !== opened) return;
      detail = null;
      sessions.mark(null);
      // Without a jump to the top, which an empty hash would be.
      history.replaceState(null, '', location.pathname);
    },
  });
  detail = opened;
}
