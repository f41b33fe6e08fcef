#!/usr/bin/python3
"""userctl watch against a real userd: what it prints, how it ends, and that it outlives the server."""

import csv
import io
import json
import re
import signal
import tempfile
import unittest

import userctl


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = userctl.Server('--generate_users=30')

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def ok(self, *arguments):
        """Its stdout and stderr."""
        code, out, err = self.server.userctl(*arguments)
        self.assertEqual(code, 0, err)
        return out, err

    def create(self, name, *more):
        out, _ = self.ok('--output=json', 'create', '--name', name, '--email', f'{name}@example.com', *more)
        return json.loads(out)

    def revision(self, user):
        return int(user['etag'].strip('"'))

    def test_after_0_comes_everybody_and_then_it_is_in_sync(self):
        out, err = self.ok('--output=json', 'watch', '--after=0', '--until-synced')
        changes = [json.loads(line) for line in out.splitlines()]
        listed = json.loads(self.ok('--output=json', 'list', '--all')[0])['users']
        self.assertEqual([change['user'] for change in changes],
                         sorted(listed, key=self.revision))
        self.assertRegex(err, r'^userctl: in sync at revision \d+\n$')

    def test_it_shows_changes_as_they_come_and_ctrl_c_is_its_end(self):
        begin = self.revision(self.create('Begin'))
        process = userctl.start(f'--server={self.server.address}', 'watch', f'--after={begin}')
        ann = self.create('Ann', '--age=41')
        self.assertRegex(process.stdout.readline(), r'^REVISION  CHANGE +ID  NAME  EMAIL +AGE\n$')
        self.assertRegex(process.stdout.readline(),
                         rf'^ +{self.revision(ann)}  changed +{ann["user_id"]}  Ann   Ann@example.com +41\n$'.replace('Ann@', 'ann@'))
        self.ok('delete', ann['user_id'])
        self.assertRegex(process.stdout.readline(), rf'^ +\d+  removed +{ann["user_id"]}\n$')
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=userctl.SECONDS_MAX)
        self.assertEqual((process.returncode, out), (0, ''))
        self.assertRegex(err, r'to go on, add --after=\d+\n$')

    def test_it_ends_after_so_many_changes(self):
        out, _ = self.ok('--output=csv', 'watch', '--after=0', '--count=3')
        rows = list(csv.DictReader(io.StringIO(out, newline='')))
        self.assertEqual([row['user_id'] for row in rows], ['1', '2', '3'])
        self.assertEqual({row['change'] for row in rows}, {'changed'})

    def test_with_a_filter_others_who_change_are_removed(self):
        begin = self.revision(self.create('Young', '--age=10'))
        young = self.create('Younger', '--age=9')
        old = self.create('Old', '--age=90')
        out, _ = self.ok('--output=json', 'watch', f'--after={begin}', '--filter=age > 80', '--count=2')
        first, second = [json.loads(line) for line in out.splitlines()]
        self.assertEqual((first['removed_user_id'], second['user']), (young['user_id'], old))

    def test_a_revision_of_the_future_is_an_error(self):
        code, out, err = self.server.userctl('watch', '--after=1000000')
        self.assertEqual((code, 'REVISION_IN_FUTURE' in err), (1, True), err)
        self.assertRegex(out, '^(REVISION .*\n)?$')

    def test_with_a_timeout_it_ends_at_its_deadline(self):
        code, _, err = self.server.userctl('--timeout=300ms', 'watch')
        self.assertEqual(code, 1)
        self.assertIn('DEADLINE_EXCEEDED', err)


class Restart(unittest.TestCase):
    def test_it_goes_on_when_the_server_comes_back(self):
        with tempfile.TemporaryDirectory(prefix='userservice-cli-') as folder:
            server = userctl.Server('--sample_users', folder=folder)
            process = userctl.start(f'--server={server.address}', '--output=json', 'watch', '--after=4')
            try:
                first = json.loads(process.stdout.readline())
                server.stop(signal.SIGKILL)
                server = userctl.Server(folder=folder, port=server.port)
                server.userctl('create', '--name=Ann', '--email=ann@example.com')
                second = json.loads(process.stdout.readline())
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=userctl.SECONDS_MAX)
            finally:
                process.kill()
                server.stop()
            self.assertEqual((first['revision'], second['revision']), ('5', '6'))
            self.assertEqual(second['user']['name'], 'Ann')
            self.assertEqual(process.returncode, 0)
            self.assertTrue(re.search(r'userctl: broken off after revision 5, going on\n', err), err)


if __name__ == '__main__':
    unittest.main()
