import { flag, list, optionalFile } from '../leaf.js';
import { ruleList } from '../routing/rule-list.js';

/** A letter first, so that none is taken for a zone; `any` is what /stats calls server.upstream_addr. */
const SERVICE_NAME = /^(?!any$)[a-z][a-z0-9_-]{0,31}$/;

/** Where requests go. */
export const routing = {
  services: list(
    'Pools of upstreams beside the zones. Upstreams register for one with its name as zone_id.',
    SERVICE_NAME,
    'names of small letters, digits, _ and -, a letter first, separated by commas',
  ).reloaded(),
  rules: ruleList(
    'Which requests go elsewhere than to the zone of their openid; the first that matches decides. See docs/UPSTREAMS.md.',
  ).reloaded(),
  registry_file: optionalFile(
    'Keeps registered upstreams over restarts, for they register only once.',
  ).following('gatesvr-PORT.upstreams.state, PORT being that of server.quic_addr; off for port 0'),
  serialize: flag('false', 'Send the next request of a session after the answer to its last.'),
};
