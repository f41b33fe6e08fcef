#!/usr/bin/python3
"""userctl bench against a real userd: what it counts adds up, what is wrong is told, and a stall is not hidden."""

import csv
import io
import json
import os
import signal
import threading
import unittest

import userctl

USERS = 12_000  # more than the pages that a list is one of
STALL_SECONDS = 0.3


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = userctl.Server(f'--generate_users={USERS}')

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def bench(self, *arguments, code=0):
        actual, out, err = self.server.userctl('--output=json', 'bench', *arguments)
        self.assertEqual(actual, code, out + err)
        return json.loads(out)

    def count(self):
        code, out, err = self.server.userctl('--output=json', 'count')
        self.assertEqual(code, 0, err)
        return int(json.loads(out)['count'])

    # What is counted.

    def test_every_operation_is_counted_and_their_sum_is_all(self):
        before = self.count()
        names = ['get', 'lookup', 'batch_get', 'list', 'count', 'create', 'update', 'export', 'import']
        report = self.bench(f'--mix={",".join(names)}', '--calls=180', '--concurrency=8', '--warmup=0s',
                            '--import-users=1500')
        by_name = {one['operation']: one for one in report['operations']}
        self.assertEqual(list(by_name), names)
        self.assertEqual(sum(one['calls'] for one in by_name.values()), 180)
        self.assertEqual(report['all']['calls'], 180)
        self.assertEqual(report['all']['failed'], 0)
        self.assertEqual(report['all']['errors'], {})
        self.assertEqual(by_name['batch_get']['users'], 100 * by_name['batch_get']['calls'])
        self.assertEqual(by_name['list']['users'], 100 * by_name['list']['calls'])
        created = by_name['create']['users'] + by_name['import']['users']
        self.assertEqual(created, by_name['create']['calls'] + 1500 * by_name['import']['calls'])
        self.assertEqual(self.count() - before, created)
        self.assertGreaterEqual(by_name['export']['users'], USERS * by_name['export']['calls'])

    def test_percentiles_rise_and_the_distribution_ends_at_the_maximum(self):
        report = self.bench('--duration=300ms', '--warmup=100ms', '--concurrency=4', '--channels=2', '--threads=2')
        latency = report['all']['latency_us']
        self.assertEqual(sorted(latency.values())[0], latency['min'])
        in_order = [latency[name] for name in ('min', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max')]
        self.assertEqual(in_order, sorted(in_order))
        self.assertEqual(report['all']['distribution'][-1], [100, latency['max']])
        self.assertAlmostEqual(report['all']['calls'] / report['elapsed_s'], report['all']['calls_per_s'], delta=1)
        self.assertEqual((report['threads'], report['channels']), (2, 2))

    def test_so_many_calls_are_measured_as_were_asked_for(self):
        self.assertEqual(self.bench('--calls=77', '--threads=3', '--warmup=50ms')['all']['calls'], 77)

    def test_the_servers_processor_time_is_told(self):
        report = self.bench('--calls=500', '--warmup=0s', f'--server-pid={self.server.process.pid}')
        self.assertGreater(report['server_cpu_us_per_call'], 1)
        self.assertAlmostEqual(report['server_cpu_us'] / 500, report['server_cpu_us_per_call'], delta=0.01)

    def test_a_list_is_of_the_pages_that_were_named(self):
        last = self.bench('--mix=list', '--page-size=7', '--pages=101', '--filter=user_id <= 702', '--calls=5',
                          '--warmup=0s')
        self.assertEqual(last['all']['users'], 5 * 2)  # 100 pages of 7, and 2 users

    # An open loop.

    def test_an_open_loop_makes_the_calls_that_are_due(self):
        report = self.bench('--rate=400', '--duration=1s', '--warmup=100ms')
        self.assertEqual(report['loop'], 'open')
        self.assertEqual(report['all']['calls'] + report['unsent'], 400)

    def test_an_open_loop_shows_a_stall_to_every_call_that_it_touched(self):
        process = userctl.start(f'--server={self.server.address}', '--output=json', 'bench', '--rate=400',
                                '--duration=2s', '--warmup=200ms')
        stalled = threading.Event()
        self.addCleanup(lambda: os.kill(self.server.process.pid, signal.SIGCONT))
        stalled.wait(1)
        os.kill(self.server.process.pid, signal.SIGSTOP)
        stalled.wait(STALL_SECONDS)
        os.kill(self.server.process.pid, signal.SIGCONT)
        out, err = process.communicate(timeout=userctl.SECONDS_MAX)
        self.assertEqual(process.returncode, 0, err)
        latency = json.loads(out)['all']['latency_us']
        # Of 2 s of arrivals 15 % fell into the stall, and waited for what was left of it.
        self.assertGreaterEqual(latency['p99'], 250_000)
        self.assertGreaterEqual(latency['p90'], 50_000)

    # What goes wrong.

    def test_errors_are_counted_by_reason(self):
        report = self.bench('--users=1000000000', '--calls=50', '--warmup=0s', code=1)
        self.assertEqual(report['all']['errors'], {'NOT_FOUND / USER_NOT_FOUND': 50})
        self.assertEqual(report['all']['failed'], 50)
        self.assertEqual(report['all']['calls'], 50)

    def test_a_deadline_may_be_never(self):
        self.assertEqual(self.bench('--timeout=inf', '--calls=20', '--warmup=0s', '--users=10')['all']['failed'], 0)

    def test_a_deadline_that_passes_is_an_error_like_others(self):
        # gRPC rounds a deadline up to a millisecond, in which a short call may be answered yet; no export is.
        report = self.bench('--timeout=1us', '--mix=export', '--calls=20', '--warmup=0s', code=1)
        self.assertEqual(sum(report['all']['errors'].values()), 20)
        for error in report['all']['errors']:
            self.assertRegex(error, '^DEADLINE_EXCEEDED')

    def test_a_server_that_is_not_there_is_an_error_in_one_line(self):
        code, out, err = userctl.run('--server=127.0.0.1:1', 'bench')
        self.assertEqual((code, out), (1, ''))
        self.assertEqual(len(err.splitlines()), 1, err)

    def test_bad_usage_is_told(self):
        for arguments, told in ((['--mix=gets'], "'gets' is none of get, lookup"),
                                (['--mix=get=1,get=2'], 'get is named twice'),
                                (['--pages=5-2'], "'5-2' is no page or range of pages"),
                                (['--threads=3', '--concurrency=2'], '--concurrency is below --threads'),
                                (['--calls=1', '--duration=1s'], '--duration'),
                                (['--rate=0'], '--rate')):
            with self.subTest(arguments=arguments):
                code, out, err = self.server.userctl('bench', *arguments)
                self.assertEqual((code, out), (2, ''))
                self.assertIn(told, err)
                self.assertIn('see userctl bench --help', err)

    def test_ends_soon_when_interrupted_and_reports_what_it_has(self):
        process = userctl.start(f'--server={self.server.address}', '--output=json', 'bench', '--duration=60s',
                                '--warmup=0s')
        threading.Event().wait(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130, err)
        self.assertGreater(json.loads(out)['all']['calls'], 0)

    # How it is printed.

    def test_a_table_for_people_has_a_line_an_operation_and_one_for_all(self):
        code, out, err = self.server.userctl('bench', '--mix=get=3,list=1', '--calls=100', '--warmup=0s')
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r'^a closed loop of 64 calls for \d')
        self.assertRegex(out, r'\nOPERATION +CALLS +CALLS/S +USERS/S +FAILED +P50 +P90 +P99 +P99\.9 +MAX\nget ')
        self.assertRegex(out, r'\nlist +\d+ ')
        self.assertRegex(out, r'\nall +100 ')

    def test_csv_has_the_same_rows(self):
        code, out, err = self.server.userctl('--output=csv', 'bench', '--calls=10', '--warmup=0s')
        self.assertEqual(code, 0, err)
        rows = list(csv.DictReader(io.StringIO(out, newline='')))
        self.assertEqual([(row['operation'], row['calls'], row['failed']) for row in rows], [('get', '10', '0')])


if __name__ == '__main__':
    unittest.main()
