#!/usr/bin/python3
"""userctl import, as whole stories: what is stored, printed and left behind, whatever ends it."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import unittest

import userctl
from transfer import Story, as_csv, as_json_lines, has_answered_chunks, people


class Import(Story):
    def test_csv_and_json_lines_are_stored_as_they_are(self):
        for users, name, content in ((people(2500, 'csv.com'), 'people.csv', as_csv),
                                     (people(2500, 'json.com'), 'people.jsonl', as_json_lines)):
            before = len(self.stored())
            path = self.file(name, content(users))
            self.assertEqual(self.imports(path), ('2,500 users imported\n', ''))
            self.assertEqual(self.stored()[before:], users)
        self.assertEqual(sorted(os.listdir(self.folder)), ['database', 'people.csv', 'people.jsonl'])

    def test_the_outcome_in_every_format(self):
        path = self.file('people.csv', 'name,email\nA,a@example.com\nB,nobody\n')
        code, out, _ = self.server.userctl('--output=json', 'import', str(path))
        self.assertEqual((code, json.loads(out)), (1, {'created_count': 1, 'rejected_count': 1}))
        code, out, _ = self.server.userctl('--output=csv', 'import', str(path))
        self.assertEqual((code, out), (1, 'created_count,rejected_count\r\n0,2\r\n'.replace('\r', '')))

    def test_rejected_lines_are_listed_with_their_reasons(self):
        path = self.file('people.csv', 'email,note,name,age\n'
                         'a@example.com,x,A,1\nnobody,x,B,2\nc@example.com,x,C,old\nA@example.com,x,D,\n'
                         'e@example.com,x\nf@example.com,x, ,200\n')
        out, err = self.imports(path, exit_code=1)
        self.assertEqual(out, '1 user imported, 5 lines rejected\n')
        lines = err.splitlines()
        self.assertEqual(lines[:2], ['userctl: ignored columns: note', 'userctl: 5 lines rejected:'])
        for line, (number, reason) in zip(lines[2:], (
                (3, r'email: .*@'), (4, "age: not a whole number: 'old'"), (5, 'another user has the e-mail address'),
                (6, 'it has 2 of the 4 fields that the title names'), (7, r'name: .*; age: .*')), strict=True):
            self.assertRegex(line, rf'^  line {number}  {reason}')
        self.assertEqual(self.stored(), [('A', 'a@example.com', 1)])

    def test_the_list_of_rejected_lines_is_short_and_the_file_has_all_and_can_be_imported(self):
        users = people(60)
        path = self.file('people.csv', as_csv([(n, e if i % 2 else f'user{i}', a) for i, (n, e, a) in enumerate(users)]))
        rejected = self.folder / 'rejected.csv'
        out, err = self.imports(path, f'--rejected={rejected}', exit_code=1)
        self.assertEqual(out, '30 users imported, 30 lines rejected\n')
        self.assertEqual(len(re.findall(r'^  line +\d+  email: ', err, re.MULTILINE)), 20)
        self.assertIn(f'  and 10 more\n  all of them: {rejected}\n', err)
        with open(rejected, encoding='utf-8', newline='') as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([int(row['line']) for row in rows], list(range(2, 62, 2)))
        self.file('rejected.csv', re.sub(rb',(user\d+),', rb',\1@example.com,', rejected.read_bytes()))
        out, err = self.imports(rejected)
        self.assertEqual(out, '30 users imported\n')
        self.assertEqual(err, 'userctl: ignored columns: line, reason\n')
        self.assertEqual(sorted(self.stored(), key=lambda u: u[1]), sorted(users, key=lambda u: u[1]))

    def test_the_file_itself_is_no_place_for_rejected_lines(self):
        path = self.file('people.csv', as_csv(people(3)))
        (self.folder / 'same.csv').symlink_to(path)
        for name in ('people.csv', 'same.csv'):
            code, out, err = self.server.userctl('import', str(path), f'--rejected={self.folder / name}')
            self.assertEqual((code, out), (2, ''))
            self.assertRegex(err, r'^userctl: --rejected names the file that is imported.*\n$')
        self.assertEqual(path.read_bytes().decode(), as_csv(people(3)))

    def test_standard_input_needs_a_format(self):
        users = people(3000)
        for content, form in ((as_csv(users[:1500]), 'csv'), (as_json_lines(users[1500:]), 'jsonl')):
            code, out, err = self.pipe(content, 'import', '-', f'--format={form}')
            self.assertEqual((code, out, err), (0, '1,500 users imported\n', ''))
        self.assertEqual(self.stored(), users)
        code, _, err = self.pipe('', 'import', '-')
        self.assertEqual(code, 2)
        self.assertIn('say --format=csv or --format=jsonl', err)

    def pipe(self, content, *arguments):
        process = self.start(*arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(content, timeout=userctl.SECONDS_MAX)
        return process.returncode, out, err

    def test_an_interrupt_while_a_pipe_is_silent_ends_it_and_says_that_it_can_not_go_on(self):
        process = self.start('import', '-', '--format=csv', stdin=subprocess.PIPE)
        process.stdin.write(as_csv(people(3000)))
        process.stdin.flush()
        self.wait_until(lambda: len(self.stored()) >= 2000, process)
        process.send_signal(signal.SIGINT)
        process.wait(userctl.SECONDS_MAX)
        err = process.stderr.read()
        self.assertEqual(process.returncode, 130, err)
        self.assertIn('userctl: interrupted\n', err)
        self.assertIn('what came through a pipe can not be read again', err)

    def test_files_that_can_not_be_used_are_one_line_and_exit_2(self):
        binary = bytes(random.Random(1).randrange(256) for _ in range(200_000))
        for name, content, says in (('empty.csv', b'', 'it is empty'), ('binary.csv', binary, 'title|first line'),
                                    ('other.csv', b'id,phone\n1,2\n', 'must name the columns name and email'),
                                    ('people.txt', b'x', 'say --format=csv or --format=jsonl')):
            with self.subTest(name):
                _, err = self.imports(self.file(name, content), exit_code=2)
                self.assertRegex(err, rf'^userctl: [^\n]*({says})[^\n]*\(see userctl import --help\)\n$')
        _, err = self.imports(self.folder / 'missing.csv', exit_code=2)
        self.assertIn('No such file or directory', err)
        (self.folder / 'folder.csv').mkdir()
        _, err = self.imports(self.folder / 'folder.csv', exit_code=2)
        self.assertIn('Is a directory', err)
        self.assertEqual(self.stored(), [])

    def test_garbage_is_rejected_line_by_line_and_what_is_right_is_stored(self):
        binary = bytes(random.Random(1).randrange(256) for _ in range(200_000))
        ada = b'{"name": "Ada", "email": "ada@example.com"}\n'
        for name, content in (('binary.jsonl', binary + b'\n' + ada), ('mark.jsonl', b'\xef\xbb\xbf' + ada),
                              ('crlf.csv', b'\xef\xbb\xbfname,email\r\nB,b@example.com\r\n\r\nC,c@example.com'),
                              ('long.csv', b'name,email\n' + b'x' * 10_000_000 + b'\nD,d@example.com\n'),
                              ('long.jsonl', b'"' + b'x' * 10_000_000 + b'\n' + ada.replace(b'ada', b'e')),
                              ('null.csv', b'name,email\nA\0B,nul@example.com\nF,f@example.com\n')):
            with self.subTest(name):
                code, _, err = self.server.userctl('import', str(self.file(name, content)))
                self.assertIn(code, (0, 1), err)
                self.assertNotIn('\0', err)
        emails = {email for _, email, _ in self.stored()}
        self.assertEqual(emails, {f'{name}@example.com' for name in ('ada', 'b', 'c', 'd', 'e', 'f')})

    def test_without_a_server_it_is_one_line_and_nothing_is_left_behind(self):
        path = self.file('people.csv', as_csv(people(3)))
        code, out, err = userctl.run('--server=127.0.0.1:1', 'import', str(path))
        self.assertEqual((code, out), (1, ''))
        self.assertRegex(err, r'^userctl: nothing answers at 127\.0\.0\.1:1 [^\n]*\n$')
        self.assertEqual(sorted(os.listdir(self.folder)), ['database', 'people.csv'])

    def test_memory_does_not_grow_with_the_file(self):
        path = self.file('people.csv', as_csv(people(100)))
        with path.open('a') as file:  # piece by piece: the memory of this process counts as its child's
            for piece in (*['x' * 100_000] * 1000, '\n', *['bad\n' * 5000] * 100):
                file.write(piece)
        process = self.start('import', path)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((process.returncode, out), (1, '100 users imported, 500,001 lines rejected\n'))
        sanitized = 'ASAN_OPTIONS' in os.environ or 'TSAN_OPTIONS' in os.environ
        self.assertLess(usage.ru_maxrss, (600 if sanitized else 60) << 10)  # KiB

    def test_shows_a_bar_on_a_terminal(self):
        path = self.file('people.csv', as_csv(people(20_000)))
        code, shown = self.shown(80, 'import', path)
        self.assertEqual(code, 0)
        self.assert_bars(shown, 80, r'^people\.csv  [█▏▎▍▌▋▊▉░]{10,40}  [ \d]\d\d? %|^people.csv')
        self.assertTrue(shown.endswith('\r\x1b[K'), 'it is taken away at the end')


class ImportGoesOn(Story):
    """Whatever ends userctl, the same command goes on, and each user is stored once."""

    def setUp(self):
        super().setUp()
        self.users = people(40_000)
        self.path = self.file('people.csv', as_csv(self.users))
        self.state = self.folder / 'people.csv.import-state'

    def break_off(self, with_signal, *arguments):
        process = self.start('import', self.path, *arguments)
        self.wait_until(lambda: has_answered_chunks(self.state), process)
        process.send_signal(with_signal)
        out, err = process.communicate(timeout=userctl.SECONDS_MAX)
        self.assertLess(len(self.stored()), len(self.users), 'it was too fast to be broken off')
        return process.returncode, out, err

    def test_after_an_interrupt(self):
        code, out, err = self.break_off(signal.SIGINT)
        self.assertEqual((code, out), (130, ''))
        self.assertRegex(err, r'^userctl: interrupted\n[\d,]+ users imported before that, up to line [\d,]+\n'
                              r'the same command goes on from there \(\S+people\.csv\.import-state\)\n$')
        out, err = self.imports(self.path)
        self.assertEqual(out, '40,000 users imported\n')
        self.assertRegex(err, r'^userctl: going on after line [\d,]+ \(\S+\)\n$')
        self.assertEqual(self.stored(), self.users)
        self.assertFalse(self.state.exists())

    def test_after_kill_9_twice(self):
        for _ in range(2):
            self.assertEqual(self.break_off(signal.SIGKILL)[0], -signal.SIGKILL)
        self.assertEqual(self.imports(self.path)[0], '40,000 users imported\n')
        self.assertEqual(self.stored(), self.users)

    def test_after_kill_9_with_rejected_lines_each_named_once(self):
        bad = [i for i in range(len(self.users)) if i % 100 == 50]
        lines = [(n, 'nobody' if i % 100 == 50 else e, a) for i, (n, e, a) in enumerate(self.users)]
        self.path.write_text(as_csv(lines, '\n'))
        rejected = self.folder / 'rejected.csv'
        self.break_off(signal.SIGKILL, '--rejected', rejected)
        out, err = self.imports(self.path, '--rejected', rejected, exit_code=1)
        self.assertEqual(out, '39,600 users imported, 400 lines rejected\n')
        self.assertIn('  line    52  email: ', err)
        with open(rejected, encoding='utf-8', newline='') as file:
            self.assertEqual([int(row['line']) for row in csv.DictReader(file)], [i + 2 for i in bad])
        self.assertEqual(len(self.stored()), 39_600)

    def test_the_server_may_be_killed_and_started_again_meanwhile(self):
        process = self.start('import', self.path)
        for least in (2000, 12_000):
            self.wait_until(lambda least=least: len(self.stored()) >= least, process)
            self.server.stop(signal.SIGKILL)
            self.server = self.start_server('database', port=self.server.port)
        out, err = process.communicate(timeout=userctl.SECONDS_MAX)
        self.assertEqual((process.returncode, out), (0, '40,000 users imported\n'), err)
        self.assertRegex(err, r'^(userctl: broken off after [\d,]+ users, going on\n)+$')
        self.assertEqual(self.stored(), self.users)

    def test_not_with_another_file_server_or_format(self):
        self.break_off(signal.SIGKILL)
        state = self.state.read_bytes()
        original = self.path.read_bytes()
        for changed, says in ((original + b'x', 'the file has changed since: it has'),
                              (original.replace(b'user1@', b'user9@', 1), 'the part that was imported has changed')):
            self.path.write_bytes(changed)
            _, err = self.imports(self.path, exit_code=2)
            self.assertRegex(err, rf'^userctl: can not go on from \S+: {says}[^\n]*; remove it to import the file from '
                                  r'its beginning \(see userctl import --help\)\n$')
        self.path.write_bytes(original)
        code, _, err = userctl.run('--server=127.0.0.1:1', 'import', str(self.path))
        self.assertEqual(code, 2)
        self.assertIn(f'it was begun with --server={self.server.address}', err)
        self.assertIn('it was begun with --format=csv', self.imports(self.path, '--format=jsonl', exit_code=2)[1])
        self.state.write_text('garbage')
        self.assertIn('can not go on from', self.imports(self.path, exit_code=2)[1])
        self.state.write_bytes(state)
        self.assertEqual(self.imports(self.path)[0], '40,000 users imported\n')

    def test_not_where_what_was_sent_last_has_changed(self):
        """Killed before its first answer was written down, it knows no hash yet; the server knows what it got."""
        self.break_off(signal.SIGKILL)
        self.state.write_text(re.sub(r'\n(chunks|offset|line|created) \d+', r'\n\1 0', self.state.read_text()))
        self.path.write_bytes(self.path.read_bytes().replace(b'user1@', b'user9@', 1))
        _, err = self.imports(self.path, exit_code=1)
        self.assertIn('REQUEST_ID_REUSED', err)
        self.assertRegex(err, r'the file has changed since it was sent: remove \S+import-state to import it from its '
                              r'beginning\n$')

    def test_the_state_may_be_elsewhere(self):
        elsewhere = self.folder / 'elsewhere'
        process = self.start('import', self.path, '--state', elsewhere)
        self.wait_until(lambda: has_answered_chunks(elsewhere), process)
        process.kill()
        process.wait()
        self.assertFalse(self.state.exists())
        self.assertIn('going on', self.imports(self.path, '--state', elsewhere)[1])
        self.assertEqual(self.stored(), self.users)

    def test_a_state_that_can_not_be_written_is_an_error_before_anything_is_sent(self):
        _, err = self.imports(self.path, '--state=/proc/no/where', exit_code=1)
        self.assertRegex(err, r'^userctl: can not write /proc/no/where')
        self.assertEqual(self.stored(), [])


if __name__ == '__main__':
    unittest.main()
