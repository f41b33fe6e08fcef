#!/usr/bin/python3
"""userctl conformance against a real userd: what it reports, and that it leaves the table as it was."""

import csv
import io
import json
import pathlib
import signal
import tempfile
import unittest
import xml.etree.ElementTree

import userctl

RULES_MIN = 60


class Conformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = userctl.Server('--generate_users=300')

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def table(self):
        code, out, _ = self.server.userctl('--output=json', 'export')
        self.assertEqual(code, 0)
        return out

    def test_every_rule_passes_and_the_table_is_as_before(self):
        before = self.table()
        with tempfile.TemporaryDirectory() as folder:
            junit = pathlib.Path(folder, 'results.xml')
            code, out, err = self.server.userctl('conformance', f'--junit={junit}')
            self.assertEqual((code, err), (0, ''), out)
            suites = xml.etree.ElementTree.parse(junit).getroot()
        self.assertEqual(self.table(), before)
        self.assertNotIn('FAIL', out)
        passed = out.count('\n  pass  ')
        skipped = out.count('\n  skip  ')
        self.assertGreaterEqual(passed, RULES_MIN)
        self.assertRegex(out, rf'\n{passed + skipped} rules: {passed} passed, 0 failed, {skipped} skipped, in [\d.]+ s\n$')
        cases = suites.findall('testsuite/testcase')
        self.assertEqual((len(cases), suites.get('failures')), (passed + skipped, '0'))
        self.assertEqual(len(suites.findall('testsuite/testcase/skipped')), skipped)
        self.assertEqual(sum(int(suite.get('tests')) for suite in suites), len(cases))
        self.assertTrue(all(float(case.get('time')) >= 0 for case in cases))

    def test_one_group_alone_as_json_and_as_csv(self):
        code, out, err = self.server.userctl('--output=json', 'conformance', '--only=paging', '--only=etags')
        self.assertEqual((code, err), (0, ''))
        report = json.loads(out)
        self.assertEqual({rule['group'] for rule in report['rules']}, {'paging', 'etags'})
        self.assertEqual((report['passed'], report['failed']), (len(report['rules']), 0))
        code, out, err = self.server.userctl('--output=csv', 'conformance', '--only=etags')
        self.assertEqual((code, err), (0, ''))
        rows = list(csv.DictReader(io.StringIO(out, newline='')))
        self.assertEqual({row['verdict'] for row in rows}, {'pass'})

    def test_list_names_every_rule_and_needs_no_server(self):
        code, out, err = userctl.run('--server=127.0.0.1:1', 'conformance', '--list')
        self.assertEqual((code, err), (0, ''))
        self.assertGreaterEqual(out.count('\n  '), RULES_MIN)
        self.assertIn('\nidempotency\n', out)

    def test_an_interrupt_removes_the_users_of_the_rule_that_runs(self):
        before = self.table()
        process = userctl.start(f'--server={self.server.address}', 'conformance')
        while 'pass' not in process.stdout.readline():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=userctl.SECONDS_MAX)
        self.assertEqual((process.returncode, err), (130, 'userctl: interrupted\n'), out)
        self.assertEqual(self.table(), before)

    def test_bad_usage_and_a_server_that_is_not_there(self):
        for arguments in (['--only=nonsense'], ['--junit=/nowhere/results.xml'], ['paging']):
            code, _, err = self.server.userctl('conformance', *arguments)
            self.assertEqual(code, 2, err)
        code, out, err = userctl.run('--server=127.0.0.1:1', 'conformance')
        self.assertEqual((code, out), (1, ''))
        self.assertIn('nothing answers at 127.0.0.1:1', err)


if __name__ == '__main__':
    unittest.main()
