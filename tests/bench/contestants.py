"""The contestants: how each is built and started. All print `listening on HOST:PORT`, and end with SIGTERM."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

import machine

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'interop'))
import interop  # pylint: disable=wrong-import-position

STOP_SECONDS = 60
SYSTEM_PYTHON = '/usr/bin/python3'  # the one that sees apt's modules


@dataclasses.dataclass(frozen=True)
class Programs:
    """Where everything that runs stands."""
    userd: pathlib.Path
    userctl: pathlib.Path
    echo_server: pathlib.Path
    sqlite_loops: pathlib.Path
    go_server: pathlib.Path


def build_go(build, log):
    """Debian's Go libraries are a GOPATH. With libsqlite3 the driver takes Debian's SQLite, as the others do."""
    program, source = build / 'go_server', HERE / 'contestants/go/main.go'
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    packages = {proto: 'users/v1;usersv1' for proto in interop.CONTRACT}
    packages['google/rpc/status.proto'] = 'google.golang.org/genproto/googleapis/rpc/status'
    flags = [f'--{plugin}_opt=M{proto}={package}'
             for plugin in ('go', 'go-grpc') for proto, package in packages.items()]
    path = build / 'go'
    interop.generate(log, path / 'src', f'--go_out={path}/src', f'--go-grpc_out={path}/src', *flags)
    environment = {'GO111MODULE': 'off', 'GOPATH': f'{path}:/usr/share/gocode', 'GOCACHE': f'{path}/cache'}
    interop.run(['go', 'build', '-tags', 'libsqlite3', '-o', program, source], log,
                env={**os.environ, **environment})
    return program


def commands(programs):
    """The command of each by name, where DATABASE stands for the file."""
    userd = [programs.userd, '--listen_address=127.0.0.1:0', '--log_level=warn', '--database=DATABASE']
    return {
        'echo': [programs.echo_server],
        'userd': userd,
        'userd_single': [*userd, '--write_batch_rows_max=1'],
        'go': [programs.go_server, 'DATABASE'],
        'seed': [SYSTEM_PYTHON, '-B', HERE / 'contestants/seed_server.py', 'DATABASE'],
    }


class Server:
    """A contestant that runs on the server's processor, for a `with` block."""

    def __init__(self, name, command, database, log):
        self.name = name
        core, _ = machine.cores()
        words = [str(word).replace('DATABASE', str(database)) for word in command]
        self.process = subprocess.Popen([shutil.which('taskset'), '-c', core, *words], stdout=subprocess.PIPE,
                                        stderr=log, text=True)
        self.address = None

    @property
    def pid(self):
        return self.process.pid  # taskset's, which the contestant has taken over

    def __enter__(self):
        for line in self.process.stdout:
            if line.startswith('listening on '):
                self.address = line.split()[-1]
                return self
        raise RuntimeError(f'{self.name} ended with {self.process.wait()} before it served')

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
