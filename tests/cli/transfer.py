"""What the tests of userctl's import and export share: users in files, a server of their own, what it stores."""

import contextlib
import csv
import io
import json
import fcntl
import os
import pathlib
import pty
import signal
import sqlite3
import struct
import subprocess
import tempfile
import termios
import unittest

import userctl

NAMES = ('Ada "Countess" Lovelace', 'Smith, John', 'José Ñandú', '李雷', "O'Neil \\ Sons", '"', '😀 Grin', ',', 'a b',
         'n/a', "=1+2", '#hash', 'x' * 100)


def people(count, domain='example.com'):
    """(name, email, age) of `count` users; every seventh has no age."""
    return [(f'{NAMES[i % len(NAMES)]} {i}'[:100], f'user{i}@{domain}', None if i % 7 == 0 else i % 151)
            for i in range(count)]


def as_csv(users, lineterminator='\r\n'):
    out = io.StringIO(newline='')
    writer = csv.writer(out, lineterminator=lineterminator)
    writer.writerow(['name', 'email', 'age'])
    writer.writerows([name, email, '' if age is None else age] for name, email, age in users)
    return out.getvalue()


def as_json_lines(users):
    return ''.join(json.dumps({'name': name, 'email': email} | ({} if age is None else {'age': age})) + '\n'
                   for name, email, age in users)


def in_export(path):
    """The (name, email, age) of an exported file, in its order."""
    text = pathlib.Path(path).read_text('utf-8')
    if str(path).endswith('.csv'):
        with open(path, encoding='utf-8', newline='') as file:
            return [(row['name'], row['email'], int(row['age']) if row['age'] else None)
                    for row in csv.DictReader(file)]
    return [(user['name'], user['email'], user.get('age')) for user in map(json.loads, text.splitlines())]


def has_answered_chunks(state):
    """Whether an import's state has anything to go on from."""
    return state.exists() and '\nchunks 0\n' not in state.read_text()


class Story(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix='userservice-transfer-')
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.server = self.start_server('database')

    def start_server(self, name, *flags, port=0):
        (self.folder / name).mkdir(exist_ok=True)
        server = userctl.Server(*flags, folder=self.folder / name, port=port)
        self.addCleanup(lambda: server.process.poll() is None and server.stop(signal.SIGKILL))
        return server

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def stored(self, name='database'):
        """What the table holds, in order."""
        with contextlib.closing(sqlite3.connect(self.folder / name / 'users.db')) as database:
            return database.execute('SELECT name, email, age FROM users ORDER BY user_id').fetchall()

    def imports(self, *arguments, exit_code=0, **popen):
        """Its stdout and stderr."""
        code, out, err = self.server.userctl('import', *map(str, arguments), **popen)
        self.assertEqual(code, exit_code, out + err)
        return out, err

    def start(self, *arguments, **popen):
        process = userctl.start(f'--server={self.server.address}', *map(str, arguments), **popen)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def wait_until(self, condition, process):
        """Polls: what a process leaves in the file system has no event."""
        while not condition():
            self.assertIsNone(process.poll(), 'it ended before that')
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.002)

    def shown(self, columns, *arguments):
        """The exit status, and everything that was written to a terminal that is stderr."""
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        process = self.start(*arguments, stderr=terminal, env=userctl.plain_environment(TERM='xterm'))
        os.close(terminal)
        shown = b''
        with contextlib.suppress(OSError):  # EIO: nobody has it open any more
            while part := os.read(controller, 65536):
                shown += part
        os.close(controller)
        return process.wait(userctl.SECONDS_MAX), shown.decode()

    def assert_bars(self, shown, columns, pattern):
        drawn = [line for line in shown.replace('\r\n', '\n').split('\r') if '█' in line or '░' in line]
        self.assertTrue(drawn, repr(shown))
        for line in drawn:
            text = line.split('\x1b[K')[0]
            self.assertRegex(text, pattern)
            self.assertLess(len(text), columns)
