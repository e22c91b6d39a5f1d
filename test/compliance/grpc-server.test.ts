import { grpcServerSuite } from './grpc-server-suite.js';

grpcServerSuite('framed');
grpcServerSuite('grpc-js');
