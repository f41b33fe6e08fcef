#!/usr/bin/python3
"""The seed of the idea: users.v1 as one would write it in Python, with grpc.aio over aiosqlite.

    seed_server.py DATABASE     on a database that userd made; prints `listening on 127.0.0.1:PORT`

Serves GetUser, ListUsers without filter and order, and CreateUser, with userd's schema, durability
and answers. Reads and writes have a connection each; a write is a transaction of its own.
"""

import asyncio
import datetime
import pathlib
import signal
import sqlite3
import sys

import aiosqlite
import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'interop/python'))
import stubs  # pylint: disable=wrong-import-position

stubs.generate()
# pylint: disable=wrong-import-position,import-error
from users.v1 import user_pb2, user_service_pb2, user_service_pb2_grpc

COLUMNS = 'user_id, name, email, age, created_at, updated_at, revision'
SELECT = f'SELECT {COLUMNS} FROM users WHERE user_id = ?'
PAGE = f'SELECT {COLUMNS} FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?'
INSERT = ('INSERT INTO users (name, email, age, created_at, updated_at, revision) '
          'SELECT ?1, ?2, ?3, ?4, ?4, ifnull(max(revision), 0) + 1 FROM users '
          f'RETURNING {COLUMNS}')


def user_of(row):
    user_id, name, email, age, created_at, updated_at, revision = row
    user = user_pb2.User(user_id=user_id, name=name, email=email, etag=f'"{revision}"')
    if age is not None:
        user.age = age
    user.create_time.FromDatetime(datetime.datetime.fromisoformat(created_at))
    user.update_time.FromDatetime(datetime.datetime.fromisoformat(updated_at))
    return user


class UserService(user_service_pb2_grpc.UserServiceServicer):
    def __init__(self, reads, writes):
        self.reads = reads
        self.writes = writes
        self.writing = asyncio.Lock()

    async def GetUser(self, request, context):  # pylint: disable=invalid-overridden-method
        async with self.reads.execute(SELECT, (request.user_id,)) as rows:
            row = await rows.fetchone()
        if row is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f'there is no user {request.user_id}')
        return user_of(row)

    async def ListUsers(self, request, context):  # pylint: disable=invalid-overridden-method
        size = min(request.page_size or 50, 1000)
        try:
            after = int(request.page_token or 0)
        except ValueError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, 'page_token was changed')
        async with self.reads.execute(PAGE, (after, size)) as rows:
            page = [user_of(row) for row in await rows.fetchall()]
        token = str(page[-1].user_id) if len(page) == size else ''
        return user_service_pb2.ListUsersResponse(users=page, next_page_token=token)

    async def CreateUser(self, request, context):  # pylint: disable=invalid-overridden-method
        user = request.user
        age = user.age if user.HasField('age') else None
        now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M:%S.%f')
        try:
            async with self.writing:
                async with self.writes.execute(INSERT, (user.name, user.email, age, now)) as rows:
                    row = await rows.fetchone()
                await self.writes.commit()
        except sqlite3.IntegrityError:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, f'{user.email} is taken')
        return user_of(row)


async def connect(database):
    connection = await aiosqlite.connect(database)
    await connection.execute('PRAGMA synchronous = FULL')
    return connection


async def main(database):
    reads, writes = await connect(database), await connect(database)
    server = grpc.aio.server()
    user_service_pb2_grpc.add_UserServiceServicer_to_server(UserService(reads, writes), server)
    port = server.add_insecure_port('127.0.0.1:0')
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print(f'listening on 127.0.0.1:{port}', flush=True)
    await stop.wait()
    await server.stop(0)
    await reads.close()
    await writes.close()


if __name__ == '__main__':
    asyncio.run(main(sys.argv[1]))
