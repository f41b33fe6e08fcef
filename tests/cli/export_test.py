#!/usr/bin/python3
"""userctl export to a file, as whole stories, and back by userctl import."""

import os
import pathlib
import resource
import signal
import subprocess
import unittest

import userctl
from transfer import Story, as_csv, in_export, people

ROUND_TRIP_USERS = int(os.environ.get('ROUND_TRIP_USERS', '20000'))


class Export(Story):
    def setUp(self):
        super().setUp()
        self.server.stop()
        self.server = self.start_server('generated', '--generate_users=60000')
        self.path = self.folder / 'users.csv'
        self.partial = self.folder / 'users.csv.partial'
        self.state = self.folder / 'users.csv.export-state'

    def exports(self, *arguments, exit_code=0, **popen):
        """Its stderr."""
        code, out, err = self.server.userctl('export', *map(str, arguments), **popen)
        self.assertEqual((code, out), (exit_code, ''), err)
        return err

    def assert_whole(self):
        self.assertEqual(in_export(self.path), self.stored('generated'))
        self.assertEqual(sorted(os.listdir(self.folder)), ['database', 'generated', 'users.csv'])

    def break_off(self, with_signal):
        """Its first chunks are in the file when it ends."""
        process = self.start('export', self.path)
        self.wait_until(self.state.exists, process)
        process.send_signal(with_signal)
        out, err = process.communicate(timeout=userctl.SECONDS_MAX)
        self.assertFalse(self.path.exists(), 'it was too fast to be broken off')
        return process.returncode, out, err

    def test_a_file_is_whole_and_alone(self):
        self.path.write_text('old')
        self.assertEqual(self.exports(self.path), '60,000 users\n')
        self.assert_whole()

    def test_to_a_file_and_to_a_pipe_are_the_same(self):
        for output, name in (('csv', 'a.csv'), ('json', 'a.jsonl')):
            self.exports(self.folder / name, '--filter=user_id <= 3000')
            code, out, _ = self.server.userctl(f'--output={output}', 'export', '-', '--filter=user_id <= 3000')
            self.assertEqual(code, 0)
            self.assertEqual(out, (self.folder / name).read_text('utf-8'))

    def test_goes_on_after_an_interrupt(self):
        code, _, err = self.break_off(signal.SIGINT)
        self.assertEqual(code, 130)
        self.assertRegex(err, r'^userctl: interrupted\n[\d,]+ users before that\nthe same command goes on from there '
                              r'\(\S+users\.csv\.partial, \S+users\.csv\.export-state\)\n$')
        self.assertRegex(self.exports(self.path), r'^userctl: going on after [\d,]+ users \(\S+\)\n60,000 users\n$')
        self.assert_whole()

    def test_goes_on_after_kill_9_whatever_is_behind_the_state(self):
        self.assertEqual(self.break_off(signal.SIGKILL)[0], -signal.SIGKILL)
        with self.partial.open('ab') as partial:
            partial.write(b'half a li')
        self.exports(self.path)
        self.assert_whole()

    def test_does_not_go_on_from_another_export(self):
        self.break_off(signal.SIGKILL)
        err = self.exports(self.path, '--filter=age > 25', exit_code=2)
        self.assertRegex(err, r"^userctl: can not go on from \S+: it is of --filter=''; remove it to export from the "
                              r'beginning \(see userctl export --help\)\n$')

    def test_a_disk_that_is_full_is_an_error_and_it_goes_on_once_it_is_not(self):
        self.assertEqual(self.exports('/dev/full', '--output=csv', exit_code=1),
                         'userctl: can not write /dev/full: No space left on device\n')

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        err = self.exports(self.path, exit_code=1, preexec_fn=limit)
        self.assertRegex(err, r'^userctl: can not write \S+users\.csv\.partial: File too large\n[\d,]+ users before')
        self.assertFalse(self.path.exists())
        self.exports(self.path)
        self.assert_whole()

    def test_bad_usage_is_one_line_and_exit_2(self):
        for arguments, says in (([self.folder / 'users.txt'], 'say --output=csv or --output=json'),
                                ([self.path, '--resume-token=x'], 'goes on by itself'),
                                ([self.folder / 'no/users.csv'], 'No such file or directory'),
                                ([self.folder, '--output=csv'], 'Is a directory')):
            err = self.exports(*arguments, exit_code=2)
            self.assertRegex(err, rf'^userctl: [^\n]*{says}[^\n]*\(see userctl export --help\)\n$')

    def test_without_a_server_nothing_is_left_behind(self):
        code, _, err = userctl.run('--server=127.0.0.1:1', 'export', str(self.path))
        self.assertEqual(code, 1)
        self.assertIn('nothing answers', err)
        self.assertEqual(sorted(os.listdir(self.folder)), ['database', 'generated'])

    def test_shows_a_bar_on_a_narrow_terminal(self):
        code, shown = self.shown(40, 'export', self.path)
        self.assertEqual(code, 0)
        self.assert_bars(shown, 40, r'[█▏▎▍▌▋▊▉░]{10,}  [ \d]+ %')
        self.assertTrue(shown.endswith('\r\x1b[K60,000 users\r\n'), repr(shown[-80:]))


class RoundTrip(Story):
    def test_export_import_export_gives_the_same_users(self):
        first = self.start_server('first', f'--generate_users={ROUND_TRIP_USERS}')
        odd = self.file('odd.csv', as_csv(people(500, 'odd.com')))
        self.assertEqual(first.userctl('import', str(odd))[0], 0)
        expected = self.stored('first')
        for name in ('users.csv', 'users.jsonl'):
            with self.subTest(name):
                second = self.start_server(f'second-{name}')
                out = self.folder / name
                again = self.folder / f'again-{name}'
                self.assertEqual(first.userctl('export', str(out))[0], 0)
                self.assertEqual(second.userctl('import', str(out))[0], 0)
                self.assertEqual(second.userctl('export', str(again))[0], 0)
                self.assertEqual(in_export(out), expected)
                self.assertEqual(in_export(again), expected)
                self.assertEqual(self.stored(f'second-{name}'), expected)


class Permissions(Story):
    @unittest.skipIf(os.geteuid() == 0 and not pathlib.Path('/usr/bin/setpriv').exists(), 'root may do everything')
    def test_what_may_not_be_read_or_written_is_one_line_and_exit_2(self):
        secret = self.file('secret.csv', as_csv(people(3)))
        secret.chmod(0)
        closed = self.folder / 'closed'
        closed.mkdir(mode=0o555)
        self.folder.chmod(0o755)
        as_nobody = ['setpriv', '--reuid=65534', '--clear-groups'] if os.geteuid() == 0 else []
        for arguments in (['import', secret], ['export', closed / 'users.csv']):
            done = subprocess.run([*as_nobody, userctl.USERCTL, f'--server={self.server.address}', *map(str, arguments)],
                                  capture_output=True, text=True, check=False, env=userctl.plain_environment(),
                                  timeout=userctl.SECONDS_MAX)
            self.assertEqual((done.returncode, done.stdout), (2, ''), done.stderr)
            self.assertRegex(done.stderr, r'^userctl: can not (read|write) [^\n]*: Permission denied [^\n]*\n$')


if __name__ == '__main__':
    unittest.main()
