#!/usr/bin/python3
"""userctl gather against a real server: how much faster, the same answers, and every form of its output.

READ_SPEED_UP_MIN: how many times faster the 100 reads must be, gathered, with 20 ms there and back.
"""

import csv
import io
import json
import os
import pathlib
import tempfile
import unittest

import userctl

READ_SPEED_UP_MIN = float(os.environ['READ_SPEED_UP_MIN'])
# The first run on a machine that does something else meanwhile may be slow; three in a row are not.
ATTEMPTS_MAX = 3


class Gather(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = userctl.Server('--generate_users=100000')

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def ok(self, *arguments, **popen):
        code, out, err = self.server.userctl(*arguments, **popen)
        self.assertEqual(code, 0, err)
        return out

    def test_100_reads_are_many_times_faster_gathered(self):
        speed_ups = []
        for _ in range(ATTEMPTS_MAX):
            report = json.loads(self.ok('--output=json', 'gather', '--rtt=20ms'))
            self.assertTrue(report['same_answers'])
            reads, = [kind for kind in report['kinds'] if kind['kind'] == 'get']
            self.assertEqual(reads['calls'], 100)
            self.assertGreaterEqual(reads['sequential_ms'], 100 * 20)
            self.assertGreaterEqual(reads['gathered_ms'], 20)
            speed_ups.append(reads['speed_up'])
            if speed_ups[-1] >= READ_SPEED_UP_MIN:
                break
        print(f'100 reads with --rtt=20ms: {speed_ups} times faster gathered')
        self.assertGreaterEqual(speed_ups[-1], READ_SPEED_UP_MIN)

    def test_json_has_every_call(self):
        report = json.loads(self.ok('--output=json', 'gather'))
        self.assertEqual(report['users'], 100000)
        self.assertEqual(report['server'], self.server.address)
        self.assertEqual([(kind['kind'], kind['calls']) for kind in report['kinds']],
                         [('list', 3), ('count', 11), ('get', 100), ('all', 114)])
        self.assertEqual(len(report['calls']), 114)
        labels = [call['label'] for call in report['calls']]
        self.assertEqual(labels[:4], ['all users', 'age > 25', 'age > 40', 'age >= 0 AND age <= 9'])
        self.assertEqual(len(set(labels)), 114)
        end = 0
        for call in report['calls']:
            self.assertGreaterEqual(call['sequential']['start_ms'], end)
            end = call['sequential']['end_ms']
            self.assertLess(call['gathered']['start_ms'], call['gathered']['end_ms'])
            self.assertLessEqual({'queue', 'sql', 'total'}, set(call['gathered']['server_ms']))

    def test_csv_is_a_line_a_kind(self):
        rows = list(csv.DictReader(io.StringIO(self.ok('--output=csv', 'gather'), newline='')))
        self.assertEqual([row['kind'] for row in rows], ['list', 'count', 'get', 'all'])

    def test_the_report_fits_one_screen_and_says_that_there_is_a_relay(self):
        for columns in (80, 100, 140):
            env = userctl.plain_environment(COLUMNS=str(columns), LANG='C.UTF-8')
            out = self.ok('gather', '--rtt=1ms', env=env)
            self.assertLessEqual(len(out.splitlines()), 40)
            self.assertLessEqual(max(map(len, out.splitlines())), columns)
            self.assertIn('--rtt=1ms: a relay in this program', ' '.join(out.split()))
            self.assertIn('reads of one user', out)
            self.assertIn('█', out)
            self.assertNotIn('\x1b', out, 'no colours without a terminal')

    def test_the_report_is_ascii_where_the_locale_is(self):
        self.assertTrue(self.ok('gather', env=userctl.plain_environment(LC_ALL='C')).isascii())

    def test_localhost_is_found_behind_the_relay(self):
        code, _, err = userctl.run(f'--server=localhost:{self.server.port}', 'gather', '--rtt=1ms')
        self.assertEqual(code, 0, err)

    def test_the_trace_nests_the_servers_spans_under_the_clients(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'trace.json')
            self.ok('gather', '--rtt=2ms', f'--trace={path}')
            events = json.loads(path.read_text())['traceEvents']
        spans = [event for event in events if event['ph'] == 'X']
        for process in (1, 2):
            calls = [span for span in spans if span['pid'] == process and span['cat'] == 'client']
            self.assertEqual(len(calls), 114)
            tracks = {}
            for call in calls:
                tracks.setdefault(call['tid'], []).append(call)
            self.assertEqual(len(tracks) == 1, process == 1, 'in sequence one is in flight at a time')
            servers = [span for span in spans if span['pid'] == process and span['cat'] == 'server']
            self.assertLessEqual({'server', 'queue', 'sql'}, {span['name'] for span in servers})
            for span in servers:
                self.assertTrue(any(call['ts'] <= span['ts'] + 1e-6 and
                                    span['ts'] + span['dur'] <= call['ts'] + call['dur'] + 1e-6
                                    for call in tracks[span['tid']]), span)

    def test_a_trace_that_can_not_be_written_is_an_error(self):
        code, _, err = self.server.userctl('gather', '--trace=/nonexistent/trace.json')
        self.assertEqual(code, 1)
        self.assertEqual(err, 'userctl: can not write /nonexistent/trace.json: No such file or directory\n')


class WithoutUsers(unittest.TestCase):
    def test_an_empty_table_is_gathered_too(self):
        server = userctl.Server()
        try:
            code, out, err = server.userctl('--output=json', 'gather')
            self.assertEqual(code, 0, err)
            self.assertEqual(len(json.loads(out)['calls']), 14)
            self.assertEqual(server.userctl('gather')[0], 0)
        finally:
            server.stop()


if __name__ == '__main__':
    unittest.main()
