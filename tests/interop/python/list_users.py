#!/usr/bin/python3
"""Prints the users that match a filter: list_users.py [HOST:PORT [FILTER]]"""

import sys

import grpc

import stubs

stubs.generate()

from users.v1 import user_service_pb2, user_service_pb2_grpc  # pylint: disable=wrong-import-position


def list_users(address='127.0.0.1:50051', filter_text=''):
    with grpc.insecure_channel(address) as channel:
        users = user_service_pb2_grpc.UserServiceStub(channel)
        request = user_service_pb2.ListUsersRequest(filter=filter_text)
        while True:
            page = users.ListUsers(request, timeout=10)
            yield from page.users
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


if __name__ == '__main__':
    for user in list_users(*sys.argv[1:]):
        print(user.user_id, user.name, user.email, user.age if user.HasField('age') else '-')
