// What both clients do with the service, wherever they have its definitions from.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';

// How messages look in JavaScript: int64 as strings, since numbers are exact to 2^53 only; absent stays absent.
export const messageOptions = { keepCase: true, longs: String, enums: String, oneofs: true };

// users: a client of users.v1.UserService. definitions: the messages google.rpc.Status and ErrorInfo by name.
export async function story(users, definitions) {
  // One unary call as a promise. A deadline stands in every call: without one a call may wait for ever.
  const call = (method, request) =>
    promisify(users[method].bind(users))(request, { deadline: Date.now() + 10_000 });

  const fails = async (code, reason, answer) => {
    const error = await answer.then(() => assert.fail(`${reason} was expected`), (error) => error);
    assert.equal(error.code, code, error.message);
    assert.deepEqual(reasonOf(error, definitions), { domain: 'users.v1', reason });
  };

  const ann = await call('CreateUser', { user: { name: 'Ann', email: 'ann@example.com', age: 31 } });
  const bob = await call('CreateUser', { user: { name: 'Bob', email: 'bob@example.com', age: 25 } });
  assert.equal(ann.name, 'Ann');

  await fails(grpc.status.ALREADY_EXISTS, 'EMAIL_TAKEN',
    call('CreateUser', { user: { name: 'Another Ann', email: 'ANN@example.com' } }));

  assert.deepEqual(await list(call, 'age > 25'), [ann]);

  // An update says which fields it writes. With the etag of what was read it can not undo another's change.
  const birthday = { user: { ...ann, age: 32 }, update_mask: { paths: ['age'] } };
  const older = await call('UpdateUser', birthday);
  assert.equal(older.age, 32);
  assert.notEqual(older.etag, ann.etag);
  await fails(grpc.status.ABORTED, 'ETAG_MISMATCH', call('UpdateUser', birthday));

  const exported = [];
  for await (const chunk of users.ExportUsers({}, { deadline: Date.now() + 10_000 })) {
    exported.push(...chunk.users);
  }
  assert.deepEqual(exported, [older, bob]);

  const { revision } = await call('ListUsers', {});
  await call('DeleteUser', { user_id: ann.user_id });

  // A watch from the revision of a list on misses no change after it. It has no end but the client's.
  const watch = users.WatchUsers({ after_revision: revision }, { deadline: Date.now() + 10_000 });
  const [{ changes }] = await once(watch, 'data');
  assert.deepEqual(changes.map((change) => change.removed_user_id), [ann.user_id]);
  watch.on('error', (error) => assert.equal(error.code, grpc.status.CANCELLED));
  watch.cancel();

  await fails(grpc.status.NOT_FOUND, 'USER_NOT_FOUND', call('GetUser', { user_id: ann.user_id }));
}

// The list ends where no token of a next page comes; a page may be short or empty before.
async function list(call, filter) {
  const found = [];
  let page_token = '';
  do {
    const page = await call('ListUsers', { filter, page_token });
    found.push(...(page.users ?? []));
    page_token = page.next_page_token;
  } while (page_token);
  return found;
}

// An error's trailer holds a google.rpc.Status, whose details are of several types: programs decide by ErrorInfo.
function reasonOf(error, definitions) {
  const [trailer] = error.metadata.get('grpc-status-details-bin');
  const status = definitions.Status.deserialize(trailer);
  assert.equal(status.code, error.code);
  const packed = status.details.find(({ type_url }) => type_url.endsWith('/google.rpc.ErrorInfo'));
  const { domain, reason } = definitions.ErrorInfo.deserialize(packed.value);
  return { domain, reason };
}
