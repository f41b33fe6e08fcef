#!/usr/bin/python3
"""Runs every command of README.md, in its order.

How to write the README for it:
  * A block marked ```sh is commands; `#` begins a comment. In a block marked ```console, commands begin with `$ `
    (their further lines with `> `), and the rest is output to look at, which is not compared.
    Other blocks are not commands; the C++ is compiled by the client's test.
  * A command that goes on (a backslash, a quote, a loop, a here-document) is one command.
  * A command exits with 0, or as its comment says: `build/bin/userctl get 99  # exits 1`.
  * They run in a folder that looks like the repository's top, built: files that they write are thrown away. A server,
    which `./run serve` started there, listens where they say 127.0.0.1:50051, with the five sample users.
    Users that a command creates are there for the next ones.
  * `grpcurl` is tests/support/grpcurl.py, `python3` the one that sees apt's modules.
  * `./run demo` and `./run help` run. The other commands of ./run, and those that build, are not run again inside a
    test: `./run X` must be in `./run help`, `--preset X` in CMakePresets.json; git, cd, apt-get pass as they are.
    Nothing may follow them on the line.

Takes the folder of userd and userctl from the environment, as USERSERVICE_BIN_DIR.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from readme_commands import Command, commands_in

TOP = pathlib.Path(__file__).resolve().parents[2]
README = TOP / 'README.md'
ADDRESS = re.compile(r'\b(?:127\.0\.0\.1|localhost):50051\b')
NOT_RUN = re.compile(r'(git|cd|sudo|apt-get|apt|cmake|ctest|bash \.ci/run|\.ci/run)\b')
COMMAND_SECONDS_MAX = 120


class Folder:
    """What a reader has in front of him after ./run build, in a place that may be thrown away."""

    def __init__(self, bin_dir):
        self.temporary = tempfile.TemporaryDirectory(prefix='userservice-readme-')
        self.path = pathlib.Path(self.temporary.name, 'userservice')
        (self.path / 'build').mkdir(parents=True)
        for entry in TOP.iterdir():
            if entry.name not in ('.git', 'data') and not entry.name.startswith('build'):
                (self.path / entry.name).symlink_to(entry)
        (self.path / 'build/bin').symlink_to(bin_dir)
        tools = self.path.parent / 'tools'
        tools.mkdir()
        (tools / 'python3').symlink_to(sys.executable)
        grpcurl = tools / 'grpcurl'
        grpcurl.write_text(f'#!/bin/sh\nexec {sys.executable} {TOP}/tests/support/grpcurl.py "$@"\n')
        grpcurl.chmod(0o755)
        self.environment = {**os.environ, 'USERSERVICE_BIN_DIR': str(self.path / 'build/bin'),
                            'PATH': f'{tools}:{os.environ["PATH"]}', 'PYTHONDONTWRITEBYTECODE': '1'}

    def start(self, command, stderr=subprocess.STDOUT, **environment):
        return subprocess.Popen(['bash', '-euo', 'pipefail', '-c', command], cwd=self.path,
                                env={**self.environment, **environment}, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)

    def run(self, command):
        process = self.start(command)
        try:
            output, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        finally:
            process.kill()
        return process.returncode, output


class Serve:
    """./run serve on a free port. `hints` are the lines that it gives to paste into another terminal."""

    def __init__(self, folder):
        log = folder.path.parent / 'userd.log'  # a file, because nobody reads a pipe to its end
        with log.open('w') as stderr:
            self.process = folder.start('exec ./run serve', stderr, USERD_LISTEN_ADDRESS='127.0.0.1:0')
        self.address, self.hints = None, []
        for line in self.process.stdout:
            if line.startswith('listening on '):
                self.address = line.split()[-1]
            elif self.address and line.startswith('  '):
                self.hints.append(line.strip())
            elif self.hints:
                return
        raise RuntimeError(f'./run serve ended with {self.process.wait()}:\n{log.read_text()}')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder(os.environ['USERSERVICE_BIN_DIR'])
        cls.addClassCleanup(cls.folder.temporary.cleanup)
        cls.serve = Serve(cls.folder)
        cls.addClassCleanup(cls.serve.process.kill)

    @classmethod
    def tearDownClass(cls):
        exit_code = cls.serve.stop()
        if exit_code != 0:
            raise AssertionError(f'./run serve exited with {exit_code} after SIGTERM')

    def check(self, command):
        text = ADDRESS.sub(self.serve.address, command.text)
        if 'userctl' in text and '--server' not in text:
            text = re.sub(r'\buserctl\b', f'userctl --server={self.serve.address}', text, count=1)
        exit_code, output = self.folder.run(text)
        self.assertEqual(exit_code, command.exit_code,
                         f'README.md:{command.line}: {command.text}\n{output}')
        return output

    def check_not_run(self, command):
        """A command that would build, or start a test inside of this one. False for all others."""
        run = re.fullmatch(r'\./run (\w+)(?:\s.*)?', command.text)
        if run and run[1] not in ('demo', 'help'):
            _, usage = self.folder.run('./run help')
            self.assertRegex(usage, rf'(?m)^  {run[1]}\b', f'README.md:{command.line}')
            return True
        presets = json.loads((TOP / 'CMakePresets.json').read_text())['configurePresets']
        for preset in re.findall(r'--preset[ =](\S+)', command.text):
            self.assertIn(preset, [entry['name'] for entry in presets if not entry.get('hidden')])
        return bool(NOT_RUN.match(command.text))

    def test_every_command_works(self):
        commands = commands_in(README.read_text('utf-8'))
        self.assertIn('./run serve', [command.text for command in commands])
        self.assertIn('./run test', [command.text for command in commands])
        for command in commands:
            with self.subTest(line=command.line, command=command.text):
                if not self.check_not_run(command):
                    self.check(command)

    def test_what_serve_says_to_paste_works(self):
        self.assertGreaterEqual(len(self.serve.hints), 4, self.serve.hints)
        for hint in self.serve.hints:
            with self.subTest(hint=hint):
                self.check(Command(hint, 0))

    def test_serve_made_the_five_sample_users(self):
        database = self.folder.path / 'data/users.db'
        _, ages = self.folder.run(f'sqlite3 {database} "SELECT age FROM users WHERE user_id <= 5"')
        self.assertEqual(sorted(ages.split()), ['25', '30', '40', '45', '50'])

    def test_serve_says_when_the_port_is_taken(self):
        command = f'./run serve --listen_address={self.serve.address}'
        exit_code, output = self.folder.run(command)
        self.assertEqual(exit_code, 1)
        self.assertIn(f'something listens on {self.serve.address} already', output)

    def test_a_command_that_fails_is_found(self):
        with self.assertRaisesRegex(AssertionError, 'README.md:7'):
            self.check(Command('build/bin/userctl get 999999', 7))
        with self.assertRaises(AssertionError):
            self.check_not_run(Command('./run everything', 1))


if __name__ == '__main__':
    unittest.main()
