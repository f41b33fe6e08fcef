// A client with no .proto files at all, that asks the server what it serves: node from_reflection.js HOST:PORT
import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import reflection from 'grpc-js-reflection-client';
import { messageOptions, story } from './story.js';

const address = process.argv[2];
const server = new reflection.GrpcReflection(address, grpc.credentials.createInsecure());
assert((await server.listServices()).includes('users.v1.UserService'));

// The definitions of one name come with those that they use.
const definition = async (name) =>
  (await server.getDescriptorBySymbol(name)).getPackageDefinition(messageOptions)[name];

const UserService = grpc.makeClientConstructor(await definition('users.v1.UserService'), 'UserService');
const users = new UserService(address, grpc.credentials.createInsecure());
try {
  await story(users, {
    Status: await definition('google.rpc.Status'),
    ErrorInfo: await definition('google.rpc.ErrorInfo'),
  });
} finally {
  users.close();
}
