export { UpstreamServer } from './upstream-server.js';
export type { Handler, UpstreamServerOptions } from './upstream-server.js';
export type { RequestContext } from './request-context.js';
export type { Reply, ReplyFields } from './reply.js';
export type { PushContent, PushOptions, PushTarget } from './push-content.js';
export type { BatchPush, BatchResult, ClientInfo } from './clients.js';
export type { GatewayAccess } from './gateway-caller.js';
export type { RegistrationReport } from './registration.js';
export { PushError, RegistrationError, ReplyError } from './errors.js';
