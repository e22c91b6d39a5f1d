/** Full names of the gRPC methods of both directions (WIRE.md, "Upstream edge"). */
export const Method = {
  ProcessRequest: '/gatesvr.proto.UpstreamService/ProcessRequest',
  ProcessStream: '/gatesvr.proto.UpstreamService/ProcessStream',
  GetStatus: '/gatesvr.proto.UpstreamService/GetStatus',
  HealthCheck: '/grpc.health.v1.Health/Check',
  PushToClient: '/gatesvr.proto.GatewayService/PushToClient',
  BroadcastToClients: '/gatesvr.proto.GatewayService/BroadcastToClients',
  RegisterUpstream: '/gatesvr.proto.GatewayService/RegisterUpstream',
  DeregisterUpstream: '/gatesvr.proto.GatewayService/DeregisterUpstream',
  PushBatch: '/gatesvr.proto.GatewayService/PushBatch',
  PushStream: '/gatesvr.proto.GatewayService/PushStream',
  KickClient: '/gatesvr.proto.GatewayService/KickClient',
  GetClient: '/gatesvr.proto.GatewayService/GetClient',
  Heartbeat: '/gatesvr.replication.Heartbeat/Tell',
  Follow: '/gatesvr.replication.Sync/Follow',
  HealthWatch: '/grpc.health.v1.Health/Watch',
} as const;
