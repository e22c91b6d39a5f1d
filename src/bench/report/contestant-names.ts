/** The names of gateways in results. */
export const OURS = 'gatesvr';
export const OURS_STREAMING = 'gatesvr, streaming';
export const PEER = 'lean Go gateway';
