#!/usr/bin/python3
"""Every command of userctl but gather, in every output format: what it prints, where, and how it exits."""

import contextlib
import csv
import io
import json
import os
import pathlib
import pty
import re
import signal
import tempfile
import unittest

import userctl

UUID4 = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')


def csv_rows(text):
    return list(csv.DictReader(io.StringIO(text, newline='')))


def thread_names(pid):
    names = set()
    for comm in pathlib.Path(f'/proc/{pid}/task').glob('*/comm'):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            names.add(comm.read_text().strip())
    return names


class Commands(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = userctl.Server('--generate_users=3000')

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def ok(self, *arguments):
        code, out, err = self.server.userctl(*arguments)
        self.assertEqual((code, err), (0, ''), out)
        return out

    def ok_json(self, *arguments):
        return json.loads(self.ok('--output=json', *arguments))

    def fails(self, code, *arguments):
        """Its stderr."""
        actual, out, err = self.server.userctl(*arguments)
        self.assertEqual((actual, out), (code, ''), err)
        return err

    def create(self, name, email, *more):
        return self.ok_json('create', '--name', name, '--email', email, *more)

    # One user.

    def test_create_get_update_lookup_delete(self):
        ada = self.create('Ada Lovelace', 'Ada@Example.com', '--age=36')
        self.assertEqual(ada['email'], 'ada@example.com')
        user_id = ada['user_id']
        self.assertEqual(self.ok_json('get', user_id), ada)
        self.assertEqual(self.ok_json('lookup', 'ADA@example.com'), ada)
        changed = self.ok_json('update', user_id, '--name=Ada King', '--clear-age', '--etag', ada['etag'])
        self.assertEqual((changed['name'], changed.get('age')), ('Ada King', None))
        self.assertEqual(self.ok('delete', user_id), f'deleted user {user_id}\n')
        self.assertIn('NOT_FOUND', self.fails(1, 'get', user_id))
        self.assertIn('NOT_FOUND', self.fails(1, 'delete', user_id))
        self.ok('delete', user_id, '--allow-missing')

    def test_a_user_for_people_is_a_line_a_field(self):
        out = self.ok('get', '5')
        self.assertRegex(out, r'^user_id      5\nname         \S.*\nemail        user5@example\.com\n')
        self.assertRegex(out, r'\ncreate_time  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n')

    def test_a_user_as_csv(self):
        row, = csv_rows(self.ok('--output=csv', 'get', '5'))
        self.assertEqual(list(row), ['user_id', 'name', 'email', 'age', 'create_time', 'update_time', 'etag'])
        self.assertEqual((row['user_id'], row['email'], row['etag']), ('5', 'user5@example.com', '"5"'))

    def test_json_is_the_same_each_time(self):
        self.assertEqual(self.ok('--output=json', 'list'), self.ok('--output=json', 'list'))

    def test_a_write_is_done_once_however_often_it_is_repeated(self):
        request_id = '--request-id=0b5e9a1c-6f0e-4f4e-9d43-5a2d7c1c2b11'
        first = self.create('Eve', 'eve@example.com', request_id)
        self.assertEqual(self.create('Eve', 'eve@example.com', request_id), first)

    def test_validate_only_stores_nothing(self):
        self.create('Mallory', 'mallory@example.com', '--validate-only')
        self.assertIn('USER_NOT_FOUND', self.fails(1, 'lookup', 'mallory@example.com'))

    # Many.

    def test_list_follows_the_pages_up_to_the_limit(self):
        out = self.ok('list', '--limit=1200', '--page-size=500')
        lines = out.splitlines()
        self.assertRegex(lines[0], r'^ +ID  NAME +EMAIL +AGE  CREATED \(UTC\)$')
        self.assertEqual(len(lines), 1202)
        self.assertEqual(lines[-1], '1,200 users; there are more: --all, or a larger --limit')

    def test_list_has_a_sane_default(self):
        self.assertEqual(len(self.ok_json('list')['users']), 50)

    def test_list_all_ends_with_the_count(self):
        last = self.ok('list', '--all', '--filter=user_id <= 2500').splitlines()[-1]
        self.assertEqual(last, '2,500 users')

    def test_list_filters_orders_and_goes_on_from_a_token(self):
        first = self.ok_json('list', '--filter=age > 90', '--order-by=age desc', '--limit=3')
        ages = [user['age'] for user in first['users']]
        self.assertEqual(ages, sorted(ages, reverse=True))
        self.assertGreater(min(ages), 90)
        more = self.ok_json('list', '--filter=age > 90', '--order-by=age desc', '--limit=3',
                            '--page-token', first['next_page_token'])
        self.assertLessEqual(more['users'][0]['age'], ages[-1])

    def test_list_as_csv(self):
        rows = csv_rows(self.ok('--output=csv', 'list', '--filter=user_id < 3'))
        self.assertEqual([row['user_id'] for row in rows], ['1', '2'])
        self.assertEqual(csv_rows(self.ok('--output=csv', 'list', '--filter=age = 149')), [])

    def test_count(self):
        self.assertEqual(self.ok('count', '--filter=user_id <= 1500'), '1,500 users\n')
        self.assertEqual(self.ok_json('count', '--filter=user_id <= 1500')['count'], '1500')
        self.assertEqual(csv_rows(self.ok('--output=csv', 'count', '--filter=user_id <= 2'))[0]['count'], '2')

    def test_export_streams_all_and_counts_on_stderr(self):
        for output, users_in in (('json', lambda out: [json.loads(line) for line in out.splitlines()]),
                                 ('csv', csv_rows)):
            code, out, err = self.server.userctl(f'--output={output}', 'export', '--filter=user_id <= 2500')
            self.assertEqual((code, err), (0, '2,500 users\n'))
            self.assertEqual([int(user['user_id']) for user in users_in(out)], list(range(1, 2501)))

    def test_health(self):
        self.assertEqual(self.ok('health'), 'SERVING\n')
        self.assertEqual(self.ok_json('health', '--service=users.v1.UserService'), {'status': 'SERVING'})
        self.assertEqual(csv_rows(self.ok('--output=csv', 'health')), [{'status': 'SERVING'}])
        self.assertIn('NOT_FOUND', self.fails(1, 'health', '--service=nobody.v1.Nothing'))

    # Errors.

    def test_an_error_is_one_block_with_everything_the_server_said(self):
        err = self.fails(1, 'create', '--name= ', '--email=nobody', '--age=200')
        self.assertRegex(err, r'^userctl: INVALID_ARGUMENT: .*\n  reason       FIELD_INVALID\n'
                              r'(  field        user\.\w+: .*\n){3}  request id   \S+\n$')

    def test_an_error_is_coloured_on_a_terminal_alone_and_never_with_no_color(self):
        for more, coloured in (({'TERM': 'xterm'}, True), ({'TERM': 'xterm', 'NO_COLOR': '1'}, False),
                               ({'TERM': 'dumb'}, False)):
            controller, terminal = pty.openpty()
            code, _, _ = self.server.userctl('get', '999999', stderr=terminal,
                                             env=userctl.plain_environment(**more))
            os.close(terminal)
            shown = os.read(controller, 65536).decode()
            os.close(controller)
            self.assertEqual(code, 1)
            self.assertIn('USER_NOT_FOUND', shown)
            self.assertEqual('\x1b[31mNOT_FOUND\x1b[0m' in shown, coloured, shown)
        self.assertNotIn('\x1b', self.fails(1, 'get', '999999'))

    def test_no_server_is_one_line_that_says_what_to_do(self):
        for command in (['count'], ['export'], ['gather'], ['gather', '--rtt=1ms']):
            code, out, err = userctl.run('--server=127.0.0.1:1', *command)
            self.assertEqual((code, out), (1, ''))
            self.assertRegex(err, r'^userctl: nothing answers at 127\.0\.0\.1:1 \(.*refused\): is userd running '
                                  r'there\? Start it, or say where it is with --server=HOST:PORT\n$')

    def test_a_write_that_no_server_answered_says_how_to_repeat_it(self):
        code, _, err = userctl.run('--server=127.0.0.1:1', 'create', '--name=A', '--email=a@example.com')
        self.assertEqual(code, 1)
        self.assertRegex(err, rf'add --request-id={UUID4.pattern}, and it is done once\n$')

    def test_a_deadline_that_passes_says_how_to_have_a_longer_one(self):
        err = self.fails(1, '--timeout=0ms', 'count')
        self.assertIn('DEADLINE_EXCEEDED', err)
        self.assertIn('--timeout=', err)

    # Usage.

    def test_without_a_command_help_and_exit_2(self):
        code, out, err = userctl.run()
        self.assertEqual((code, out), (2, ''))
        self.assertIn('Usage: userctl', err)
        self.assertIn('gather', err)

    def test_bad_usage_is_one_line_and_exit_2(self):
        for arguments in (['frobnicate'], ['get'], ['get', 'x'], ['get', '1', '2'], ['--server=abc', 'count'],
                          ['--output=xml', 'count'], ['list', '--limit=0'], ['list', '--page-size=1001'],
                          ['gather', '--rtt=20'], ['update', '1'], ['list', '--all', '--limit=3'],
                          ['--timeout=-1s', 'count'], ['create', '--name=A'], ['get', '010'], ['delete', '0x7'],
                          ['get', '99999999999999999999'], ['list', '--limit=010'],
                          ['create', '--name=A', '--email=a@example.com', '--age=-1'],
                          ['lookup', b'\xff@example.com'], ['watch', '--after=-1'], ['watch', '--after=010'],
                          ['watch', '--count=0'], ['conformance', '--only=nonsense']):
            err = self.fails(2, *arguments)
            self.assertRegex(err, r'^userctl: [^\n]*--help\)\n$', arguments)

    def test_everything_has_help_with_an_example(self):
        for command in ('create', 'get', 'lookup', 'list', 'update', 'delete', 'count', 'export', 'health',
                        'gather', 'conformance', 'watch'):
            code, out, err = userctl.run(command, '--help')
            self.assertEqual((code, err), (0, ''))
            self.assertRegex(out, rf'Example[s]?:\n  userctl {command}')
        self.assertIn('Examples:\n  userctl', userctl.run('--help')[1])

    def test_the_server_may_come_from_the_environment(self):
        env = userctl.plain_environment(USERCTL_SERVER=self.server.address)
        self.assertEqual(userctl.run('health', env=env)[0], 0)

    # Endings.

    def test_a_reader_that_has_enough_ends_it_quietly(self):
        for command in (['list', '--all'], ['export']):
            process = userctl.start(f'--server={self.server.address}', *command)
            process.stdout.readline()
            process.stdout.close()
            with process.stderr:
                self.assertEqual(process.stderr.read(), '')
            self.assertEqual(process.wait(userctl.SECONDS_MAX), 0)

    def test_an_output_that_can_not_be_written_is_an_error(self):
        with open('/dev/full', 'w') as full:
            code, _, err = self.server.userctl('list', stdout=full)
        self.assertEqual((code, err), (1, 'userctl: can not write the output\n'))

    def test_an_interrupt_cancels_the_calls_and_exits_130(self):
        process = userctl.start(f'--server={self.server.address}', 'gather', '--rtt=300ms')
        while 'relay' not in thread_names(process.pid):
            self.assertIsNone(process.poll())  # its first call has 300 ms before it from here on
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=userctl.SECONDS_MAX)
        self.assertEqual((process.returncode, out, err), (130, '', 'userctl: interrupted\n'))


class Restart(unittest.TestCase):
    def test_export_goes_on_when_the_server_comes_back(self):
        """The pipe is full, so that the export is in its middle when the server is killed and started again."""
        with tempfile.TemporaryDirectory(prefix='userservice-cli-') as folder:
            server = userctl.Server('--generate_users=60000', folder=folder)
            process = userctl.start(f'--server={server.address}', '--output=csv', 'export')
            lines = [process.stdout.readline()]
            server.stop(signal.SIGKILL)
            server = userctl.Server(folder=folder, port=server.port)
            try:
                lines += process.stdout.readlines()
                with process.stdout, process.stderr:
                    err = process.stderr.read()
                self.assertEqual(process.wait(userctl.SECONDS_MAX), 0, err)
            finally:
                process.kill()
                server.stop()
            self.assertEqual([int(line.split(',')[0]) for line in lines[1:]], list(range(1, 60001)))
            self.assertRegex(err, r'^userctl: broken off after [\d,]+ users, going on\n60,000 users\n$')


class Stopping(unittest.TestCase):
    def test_a_server_drains_that_is_stopped_as_soon_as_it_says_that_it_listens(self):
        for _ in range(5):
            self.assertEqual(userctl.Server().stop(), 0)


if __name__ == '__main__':
    unittest.main()
