// A client by the .proto files: node from_protos.js HOST:PORT, with the folders of the files in PROTO_PATH.
import { delimiter } from 'node:path';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { messageOptions, story } from './story.js';

const definitions = protoLoader.loadSync(
  ['users/v1/user_service.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
  { ...messageOptions, includeDirs: process.env.PROTO_PATH.split(delimiter) });
const { users: { v1: { UserService } } } = grpc.loadPackageDefinition(definitions);

const users = new UserService(process.argv[2], grpc.credentials.createInsecure());
try {
  await story(users, {
    Status: definitions['google.rpc.Status'],
    ErrorInfo: definitions['google.rpc.ErrorInfo'],
  });
} finally {
  users.close();
}
