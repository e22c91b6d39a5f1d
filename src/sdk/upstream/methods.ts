/** Full names of the gRPC methods (WIRE.md, "Upstream edge"). */
export const SERVED = {
  processRequest: '/gatesvr.proto.UpstreamService/ProcessRequest',
  getStatus: '/gatesvr.proto.UpstreamService/GetStatus',
  healthCheck: '/grpc.health.v1.Health/Check',
} as const;

export const CALLED = {
  push: '/gatesvr.proto.GatewayService/PushToClient',
  broadcast: '/gatesvr.proto.GatewayService/BroadcastToClients',
  register: '/gatesvr.proto.GatewayService/RegisterUpstream',
  deregister: '/gatesvr.proto.GatewayService/DeregisterUpstream',
  pushBatch: '/gatesvr.proto.GatewayService/PushBatch',
  kick: '/gatesvr.proto.GatewayService/KickClient',
  getClient: '/gatesvr.proto.GatewayService/GetClient',
} as const;
