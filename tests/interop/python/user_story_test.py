#!/usr/bin/python3
"""A Python program that uses the service: what to call, and how to read what comes back.

Run by ctest with USERD, PROTOC, GRPC_PYTHON_PLUGIN and PROTO_PATH in the environment. Each test has a user or two of
its own on one server with a temporary database.
"""

import os
import signal
import subprocess
import tempfile
import unittest
import uuid

import grpc

import stubs

stubs.generate(os.environ['PROTOC'], os.environ['GRPC_PYTHON_PLUGIN'],
               os.environ['PROTO_PATH'].split(os.pathsep))

# pylint: disable=wrong-import-position
from google.protobuf import field_mask_pb2
from google.rpc import error_details_pb2, status_pb2
from health.v1 import health_pb2, health_pb2_grpc
from reflection.v1 import reflection_pb2, reflection_pb2_grpc
from reflection.v1alpha import reflection_pb2 as reflection_alpha_pb2
from reflection.v1alpha import reflection_pb2_grpc as reflection_alpha_pb2_grpc
from users.v1 import user_pb2, user_service_pb2, user_service_pb2_grpc

SERVICE = 'users.v1.UserService'
DEADLINE_SECONDS = 30


class Server:
    """userd on a free port; stopped as a supervisor stops it, by SIGTERM."""

    def __init__(self, database):
        self.process = subprocess.Popen(
            [os.environ['USERD'], '--listen_address=127.0.0.1:0', f'--database={database}'],
            stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith('listening on '):
                self.address = line.split()[-1]
                return
        raise RuntimeError(f'userd exited with {self.process.wait()} before it served')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        return self.process.wait(timeout=60)


def details_of(error):
    """The details of an RPC error by type: {'google.rpc.ErrorInfo': ErrorInfo, ...}."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers['grpc-status-details-bin'])
    assert status.code == error.code().value[0] and status.message == error.details()
    details = {}
    for packed in status.details:
        detail = getattr(error_details_pb2, packed.TypeName().rpartition('.')[2])()
        packed.Unpack(detail)
        details[packed.TypeName()] = detail
    return details


class UserStory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.server = Server(os.path.join(cls.folder.name, 'users.db'))
        cls.channel = grpc.insecure_channel(cls.server.address)
        cls.users = user_service_pb2_grpc.UserServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        exit_code = cls.server.stop()
        cls.folder.cleanup()
        if exit_code != 0:
            raise AssertionError(f'userd exited with {exit_code} after SIGTERM')

    def create(self, name, age=None):
        """A new user with an e-mail address that no other test uses."""
        user = user_pb2.User(name=name, email=f'{name.lower()}-{uuid.uuid4()}@example.com', age=age)
        return self.users.CreateUser(user_service_pb2.CreateUserRequest(user=user),
                                     timeout=DEADLINE_SECONDS)

    def fails(self, code, reason):
        """A context that expects an RPC error with this code and reason."""
        return FailsWith(self, code, reason)

    def test_a_created_user_is_returned_as_stored_and_found_again(self):
        ann = self.create('Ann', age=31)
        self.assertGreater(ann.user_id, 0)
        self.assertEqual(ann.age, 31)
        self.assertTrue(ann.etag)
        self.assertTrue(ann.HasField('create_time'))

        by_id = self.users.GetUser(user_service_pb2.GetUserRequest(user_id=ann.user_id))
        self.assertEqual(by_id, ann)
        by_email = self.users.LookupUser(
            user_service_pb2.LookupUserRequest(email=ann.email.upper()))
        self.assertEqual(by_email, ann)

    def test_an_absent_age_stays_absent(self):
        bob = self.create('Bob')
        found = self.users.GetUser(user_service_pb2.GetUserRequest(user_id=bob.user_id))
        self.assertFalse(found.HasField('age'))

    def test_a_taken_email_is_already_exists_with_its_details(self):
        ann = self.create('Ann')
        again = user_pb2.User(name='Another Ann', email=ann.email.upper())
        with self.fails(grpc.StatusCode.ALREADY_EXISTS, 'EMAIL_TAKEN') as failure:
            self.users.CreateUser(user_service_pb2.CreateUserRequest(user=again))
        self.assertEqual(failure.info.metadata['email'], ann.email)
        self.assertIn('google.rpc.ResourceInfo', failure.details)

    def test_all_violations_of_a_request_come_at_once(self):
        bad = user_pb2.User(name='', email='not an address', age=200)
        with self.fails(grpc.StatusCode.INVALID_ARGUMENT, 'FIELD_INVALID') as failure:
            self.users.CreateUser(user_service_pb2.CreateUserRequest(user=bad))
        violations = failure.details['google.rpc.BadRequest'].field_violations
        self.assertEqual([violation.field for violation in violations],
                         ['user.name', 'user.email', 'user.age'])

    def test_a_repeated_request_id_creates_one_user(self):
        user = user_pb2.User(name='Cy', email=f'cy-{uuid.uuid4()}@example.com')
        request = user_service_pb2.CreateUserRequest(user=user, request_id=str(uuid.uuid4()))
        self.assertEqual(self.users.CreateUser(request), self.users.CreateUser(request))

    def test_a_filtered_list_comes_in_pages(self):
        ages = [20, 25, 26, 30, 35, 40, 50]
        ids = [self.create('Lister', age=age).user_id for age in ages]
        request = user_service_pb2.ListUsersRequest(filter='age > 25', page_size=2)
        found = []
        while True:
            page = self.users.ListUsers(request)
            self.assertLessEqual(len(page.users), 2)
            found += page.users
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token

        self.assertTrue(all(user.age > 25 for user in found))
        found_ids = [user.user_id for user in found]
        self.assertEqual(len(found_ids), len(set(found_ids)))
        self.assertEqual([user_id for user_id in found_ids if user_id in ids], ids[2:])

    def test_a_filter_that_can_not_be_read_says_where(self):
        with self.fails(grpc.StatusCode.INVALID_ARGUMENT, 'FILTER_INVALID') as failure:
            self.users.ListUsers(user_service_pb2.ListUsersRequest(filter='age > > 25'))
        self.assertEqual(failure.info.metadata['column'], '7')

    def test_an_update_with_a_stale_etag_is_aborted(self):
        dee = self.create('Dee', age=40)
        dee.age = 41
        mask = field_mask_pb2.FieldMask(paths=['age'])
        request = user_service_pb2.UpdateUserRequest(user=dee, update_mask=mask)
        updated = self.users.UpdateUser(request)
        self.assertEqual((updated.name, updated.age), ('Dee', 41))
        self.assertNotEqual(updated.etag, dee.etag)

        with self.fails(grpc.StatusCode.ABORTED, 'ETAG_MISMATCH') as failure:
            self.users.UpdateUser(request)
        self.assertIn(str(dee.user_id), failure.info.metadata.values())

    def test_an_export_streams_every_matching_user_in_id_order(self):
        ids = [self.create('Exported', age=90).user_id for _ in range(5)]
        chunks = self.users.ExportUsers(user_service_pb2.ExportUsersRequest(filter='age >= 90'))
        exported = [user.user_id for chunk in chunks for user in chunk.users]
        self.assertEqual(exported, sorted(exported))
        self.assertLessEqual(set(ids), set(exported))

    def test_a_watch_goes_on_after_a_revision_and_ends_when_it_is_cancelled(self):
        page = self.users.ListUsers(user_service_pb2.ListUsersRequest())
        watch = self.users.WatchUsers(
            user_service_pb2.WatchUsersRequest(after_revision=page.revision),
            timeout=DEADLINE_SECONDS)
        self.assertTrue(next(watch).synced)
        bob = self.create('Bob')
        changes = next(watch).changes
        self.assertEqual([change.user for change in changes], [bob])
        watch.cancel()
        with self.assertRaises(grpc.RpcError) as raised:
            next(watch)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.CANCELLED)

    def test_a_watch_from_the_future_is_out_of_range(self):
        with self.fails(grpc.StatusCode.OUT_OF_RANGE, 'REVISION_IN_FUTURE') as failure:
            next(self.users.WatchUsers(user_service_pb2.WatchUsersRequest(after_revision=2**62)))
        self.assertIn('newest_revision', failure.info.metadata)

    def test_a_deleted_user_is_not_found(self):
        eve = self.create('Eve')
        self.users.DeleteUser(user_service_pb2.DeleteUserRequest(user_id=eve.user_id))
        with self.fails(grpc.StatusCode.NOT_FOUND, 'USER_NOT_FOUND') as failure:
            self.users.GetUser(user_service_pb2.GetUserRequest(user_id=eve.user_id))
        self.assertIn(str(eve.user_id), failure.info.metadata.values())
        self.assertEqual(failure.details['google.rpc.ResourceInfo'].resource_type, 'users.v1.User')

    def test_an_error_carries_the_id_that_the_log_has(self):
        with self.fails(grpc.StatusCode.NOT_FOUND, 'USER_NOT_FOUND') as failure:
            self.users.GetUser(user_service_pb2.GetUserRequest(user_id=2**62))
        self.assertTrue(failure.details['google.rpc.RequestInfo'].request_id)

    def test_the_server_is_healthy(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        for service in ('', SERVICE):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service))
            self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)
        with self.assertRaises(grpc.RpcError) as raised:
            health.Check(health_pb2.HealthCheckRequest(service='no.such.Service'))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_reflection_lists_the_services_in_both_versions(self):
        for messages, stub in (
                (reflection_pb2, reflection_pb2_grpc.ServerReflectionStub),
                (reflection_alpha_pb2, reflection_alpha_pb2_grpc.ServerReflectionStub)):
            with self.subTest(messages=messages.__name__):
                question = messages.ServerReflectionRequest(list_services='')
                answer = next(stub(self.channel).ServerReflectionInfo(iter([question])))
                names = {service.name for service in answer.list_services_response.service}
                self.assertLessEqual({SERVICE, 'grpc.health.v1.Health'}, names)


class FailsWith:
    """Afterwards `details` has the error's details by type, and `info` its ErrorInfo."""

    def __init__(self, test, code, reason):
        self.test, self.code, self.reason = test, code, reason

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.test.assertIsInstance(error, grpc.RpcError, f'expected {self.reason}')
        self.test.assertEqual(error.code(), self.code, error.details())
        self.details = details_of(error)
        self.info = self.details['google.rpc.ErrorInfo']
        self.test.assertEqual((self.info.domain, self.info.reason), ('users.v1', self.reason))
        return True


if __name__ == '__main__':
    unittest.main()
