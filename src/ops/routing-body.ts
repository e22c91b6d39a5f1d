import type { RoutingRule } from '../config/routing/rule.js';
import type { RoutingView } from '../routing/router-view.js';

/** GET /routing: the rules that hold, in the order in which they are tried. */
export function routingBody({ rules, services }: RoutingView) {
  return { services, rules: rules.map(ruleBody) };
}

function ruleBody({ number, condition, target }: RoutingRule) {
  const { by } = condition;
  const isZone = /^\d/.test(target);
  return {
    rule: number,
    action_prefix: by === 'action_prefix' ? condition.prefix : null,
    openid_prefix: by === 'openid_prefix' ? condition.prefix : null,
    openid_from: by === 'openid_range' && condition.from !== '' ? condition.from : null,
    openid_to: by === 'openid_range' ? condition.to : null,
    zone: isZone ? target : null,
    service: isZone ? null : target,
  };
}
