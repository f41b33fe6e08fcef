"""Runs the real userctl against a real userd, for the tests beside this file.

Takes the two programs from the environment, as USERD and USERCTL.
"""

import os
import pathlib
import signal
import subprocess
import tempfile

USERD = os.environ['USERD']
USERCTL = os.environ['USERCTL']
SECONDS_MAX = 60


def plain_environment(**more):
    """The environment without what changes userctl's output."""
    env = {k: v for k, v in os.environ.items()
           if k not in ('USERCTL_SERVER', 'NO_COLOR', 'COLUMNS', 'LC_ALL', 'LC_CTYPE', 'LANG')}
    return {**env, **more}


def start(*arguments, **popen):
    return subprocess.Popen([USERCTL, *arguments], text=True,
                            **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE,
                               'env': plain_environment(), **popen})


def run(*arguments, **popen):
    """Its (exit status, stdout, stderr)."""
    process = start(*arguments, **popen)
    try:
        out, err = process.communicate(timeout=SECONDS_MAX)
    finally:
        process.kill()
    return process.returncode, out, err


class Server:
    """userd with a database of its own, on a free port unless `port` names one."""

    def __init__(self, *flags, folder=None, port=0):
        self.own_folder = tempfile.TemporaryDirectory(prefix='userservice-cli-') if folder is None else None
        self.folder = pathlib.Path(folder or self.own_folder.name)
        with (self.folder / 'userd.log').open('a') as log:
            self.process = subprocess.Popen(
                [USERD, f'--listen_address=127.0.0.1:{port}', f'--database={self.folder}/users.db', *flags],
                stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith('listening on '):
            raise RuntimeError(f'userd did not start: {(self.folder / "userd.log").read_text()}')
        self.address = line.split()[-1]
        self.port = int(self.address.rsplit(':', 1)[1])

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        exit_status = self.process.wait(SECONDS_MAX)
        self.process.stdout.close()
        if self.own_folder:
            self.own_folder.cleanup()
        return exit_status

    def userctl(self, *arguments, **popen):
        return run(f'--server={self.address}', *arguments, **popen)
