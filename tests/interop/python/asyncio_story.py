#!/usr/bin/python3
"""The story with asyncio: asyncio_story.py HOST:PORT

Calls are awaitable, so what does not depend on each other is gathered and shares one round trip.
"""

import asyncio
import contextlib
import sys

import grpc

import stubs

stubs.generate()

# pylint: disable=wrong-import-position
from google.protobuf import field_mask_pb2
from google.rpc import error_details_pb2, status_pb2
from users.v1 import user_pb2, user_service_pb2 as messages, user_service_pb2_grpc

DEADLINE_SECONDS = 10


@contextlib.contextmanager
def fails(code, reason):
    """Expects an RPC error with this code and this reason."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        info = error_info(error)
        assert (error.code(), info.domain, info.reason) == (code, 'users.v1', reason), error
    else:
        raise AssertionError(f'{reason} was expected')


def error_info(error):
    """What a program decides by, out of the google.rpc.Status in the error's trailer."""
    trailer = error.trailing_metadata()['grpc-status-details-bin']
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(trailer).details:
        if detail.Unpack(info):
            return info
    raise AssertionError(f'no ErrorInfo in {error}')


async def story(channel):
    users = user_service_pb2_grpc.UserServiceStub(channel)

    ann, bob = await asyncio.gather(*(
        users.CreateUser(messages.CreateUserRequest(user=user), timeout=DEADLINE_SECONDS)
        for user in (user_pb2.User(name='Ann', email='ann@example.com', age=31),
                     user_pb2.User(name='Bob', email='bob@example.com', age=25))))
    assert ann.etag and ann.name == 'Ann', ann

    with fails(grpc.StatusCode.ALREADY_EXISTS, 'EMAIL_TAKEN'):
        again = user_pb2.User(name='Another Ann', email='ANN@example.com')
        await users.CreateUser(messages.CreateUserRequest(user=again), timeout=DEADLINE_SECONDS)

    listed = [user async for user in list_users(users, 'age > 25')]
    assert listed == [ann], listed

    # An update says which fields it writes. With the etag of what was read it can not undo another's change.
    birthday = messages.UpdateUserRequest(update_mask=field_mask_pb2.FieldMask(paths=['age']))
    birthday.user.CopyFrom(ann)
    birthday.user.age = 32
    older = await users.UpdateUser(birthday, timeout=DEADLINE_SECONDS)
    assert older.age == 32 and older.etag != ann.etag, older
    with fails(grpc.StatusCode.ABORTED, 'ETAG_MISMATCH'):
        await users.UpdateUser(birthday, timeout=DEADLINE_SECONDS)

    export = users.ExportUsers(messages.ExportUsersRequest(), timeout=DEADLINE_SECONDS)
    exported = [user async for chunk in export for user in chunk.users]
    assert exported == sorted([older, bob], key=lambda user: user.user_id), exported

    # A watch from the revision of a list on misses no change after it.
    page = await users.ListUsers(messages.ListUsersRequest(), timeout=DEADLINE_SECONDS)
    after = messages.WatchUsersRequest(after_revision=page.revision)
    watch = users.WatchUsers(after, timeout=DEADLINE_SECONDS)
    await users.DeleteUser(messages.DeleteUserRequest(user_id=ann.user_id), timeout=DEADLINE_SECONDS)
    changes = [change async for message in until_changed(watch) for change in message.changes]
    assert [change.removed_user_id for change in changes] == [ann.user_id], changes
    watch.cancel()

    with fails(grpc.StatusCode.NOT_FOUND, 'USER_NOT_FOUND'):
        await users.GetUser(messages.GetUserRequest(user_id=ann.user_id), timeout=DEADLINE_SECONDS)


async def until_changed(watch):
    """The messages up to the first that has changes; the others are bookmarks."""
    async for message in watch:
        yield message
        if message.changes:
            return


async def list_users(users, filter_text):
    """Every page: the list ends where no token of a next page comes, and a page may be empty before."""
    request = messages.ListUsersRequest(filter=filter_text)
    while True:
        page = await users.ListUsers(request, timeout=DEADLINE_SECONDS)
        for user in page.users:
            yield user
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def main(address):
    async with grpc.aio.insecure_channel(address) as channel:
        await story(channel)


if __name__ == '__main__':
    asyncio.run(main(sys.argv[1]))
