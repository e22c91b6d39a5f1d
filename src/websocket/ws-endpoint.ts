/** The one path that WebSocket clients connect to (docs/PROTOCOL.md, "WebSocket"). */
export const WS_PATH = '/gatesvr';

/** The subprotocol whose messages are the protobuf frames as they are. */
export const BINARY_SUBPROTOCOL = 'gatesvr';
