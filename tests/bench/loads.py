"""One measurement each, as a dictionary of metrics: a load on a server, a raw loop, what a server holds in memory."""

import contextlib
import json
import shutil
import socket
import subprocess

import machine

LIMIT_SECONDS = 300

# What an HTTP/2 client says first, with its settings left as they are (RFC 9113, 3.4), and what acknowledges others'.
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
SETTINGS_ACKNOWLEDGED = bytes((0, 0, 0, 4, 1, 0, 0, 0, 0))


class Refused(RuntimeError):
    """The server does not serve what was asked."""


class NothingMeasured(RuntimeError):
    """The machine was so busy that no call began after the warm-up and before the end."""


def pinned(core, *words):
    return [shutil.which('taskset'), '-c', core, *map(str, words)]


class Load:
    """Runs userctl on the load's processors."""

    def __init__(self, userctl, users, seconds, warmup_seconds):
        self.userctl = userctl
        self.users = users
        self.seconds = seconds
        self.warmup_seconds = warmup_seconds

    def command(self, server, *arguments, seconds=None, warmup=None):
        _, core = machine.cores()
        length = () if any(str(word).startswith('--calls') for word in arguments) else (
            f'--duration={seconds or self.seconds}s',)
        return pinned(core, self.userctl, f'--server={server.address}', '--output=json', '--timeout=60s', 'bench',
                      f'--warmup={self.warmup_seconds if warmup is None else warmup}s', f'--users={self.users}',
                      f'--server-pid={server.pid}', *length, *arguments)

    def run(self, server, *arguments, **options):
        """The metrics of one load of one operation. Any error is one: a wrong answer, fast, would win."""
        done = subprocess.run(self.command(server, *arguments, **options), capture_output=True, text=True,
                              timeout=LIMIT_SECONDS, check=False)
        if done.returncode != 0:
            explain(server, done)
        return metrics(json.loads(done.stdout))

    @contextlib.contextmanager
    def beside(self, server, *loads):
        """Other loads that run meanwhile, until the end of the block."""
        processes = [subprocess.Popen(self.command(server, *arguments, seconds=LIMIT_SECONDS, warmup=0),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for arguments in loads]
        try:
            yield
            ended = [process.args for process in processes if process.poll() is not None]
            if ended:
                raise RuntimeError(f'a load beside another ended by itself: {ended}')
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(LIMIT_SECONDS)

    def gather(self, server, round_trip_ms):
        """Milliseconds of the same RPCs in sequence and gathered."""
        _, core = machine.cores()
        done = subprocess.run(pinned(core, self.userctl, f'--server={server.address}', '--output=json', 'gather',
                                     f'--rtt={round_trip_ms}ms'),
                              capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
        everything = json.loads(done.stdout)['kinds'][-1]
        return everything['sequential_ms'], everything['gathered_ms']


def explain(server, done):
    """Raises what a load's failure means."""
    errors = {}
    if done.stdout:
        report = json.loads(done.stdout)
        errors = {**report['all']['errors'], **report['watch']['errors']}
    if any(error.startswith('UNIMPLEMENTED') for error in errors) or 'UNIMPLEMENTED' in done.stderr:
        raise Refused(f'{server.name}: UNIMPLEMENTED')
    raise RuntimeError(f'{server.name}: {" ".join(done.args)}\n{errors or done.stderr}')


def metrics(report):
    everything = report['all']
    if everything['calls'] == 0:
        raise NothingMeasured('no call began after the warm-up and before the end')
    latency = everything['latency_us']
    return {
        'calls_per_s': everything['calls_per_s'], 'users_per_s': everything['users_per_s'],
        'cpu_us': report['server_cpu_us_per_call'],
        'p50_us': latency['p50'], 'p99_us': latency['p99'], 'p999_us': latency['p99.9'],
        'load_busy': report['load_cpu_us'] / 1e6 / report['elapsed_s'],
        'distribution': everything['distribution'],
    }


def sqlite_loop(program, loop, database, seconds, warmup_seconds, batch=1):
    """A raw loop, on the server's processor."""
    core, _ = machine.cores()
    done = subprocess.run(pinned(core, program, loop, database, seconds, warmup_seconds, batch), capture_output=True,
                          text=True, timeout=LIMIT_SECONDS, check=True)
    result = json.loads(done.stdout)
    return {
        'calls_per_s': result['operations_per_s'], 'users_per_s': result['rows_per_s'],
        'cpu_us': result['cpu_us_per_operation'], 'cpu_us_per_user': result['cpu_us_per_row'],
        'p50_us': result['turn_p50_us'],
    }


def idle_connections(server, count):
    """What each of so many connections adds to the server's memory, in KiB, once its settings are exchanged."""
    allowed = machine.raise_file_limit(count + 200) - 200
    if allowed < count:
        raise RuntimeError(f'{count} connections need more open files than this system allows')
    host, port = server.address.rsplit(':', 1)
    before = machine.status_kib(server.pid, 'VmRSS')
    with contextlib.ExitStack() as open_sockets:
        for _ in range(count):
            connection = open_sockets.enter_context(socket.create_connection((host, int(port)), LIMIT_SECONDS))
            connection.sendall(PREFACE)
            if not connection.recv(1024):
                raise RuntimeError('the server closed a connection')
            connection.sendall(SETTINGS_ACKNOWLEDGED)
        return (machine.status_kib(server.pid, 'VmRSS') - before) / count
