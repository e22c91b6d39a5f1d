/** What the demo service answers to, in the order that its help shows. */
export const DEMO_ACTIONS = [
  'hello',
  'echo',
  'time',
  'calculate',
  'status',
  'session_info',
  'user_list',
  'broadcast',
  'before',
  'after',
  'burst',
  'logout',
] as const;
