"""The databases that the contestants run on. All are made by userd; those that are only read are made once and kept."""

import contextlib
import functools
import os
import pathlib
import shutil
import sqlite3
import subprocess


def schema_version(path):
    with contextlib.closing(sqlite3.connect(f'file:{path}?mode=ro', uri=True)) as connection:
        return connection.execute('PRAGMA user_version').fetchone()[0]


def has_users(path, users):
    """Whether those are all that were ever in it: what something else has written to is no base to compare on."""
    with contextlib.closing(sqlite3.connect(f'file:{path}?mode=ro', uri=True)) as connection:
        largest, = connection.execute('SELECT max(user_id) FROM users').fetchone()
        return largest == users


class Databases:
    """Files below one folder. A file that is there was finished, since it is made under another name; one with the
    schema of another userd, or with other users, is made anew."""

    def __init__(self, folder, userd):
        self.folder = pathlib.Path(folder)
        self.userd = userd
        self.folder.mkdir(parents=True, exist_ok=True)

    def of(self, users, say=lambda text: None):
        """The database with users 1 to `users`, for reading."""
        path = self.folder / f'users-{users}.db'
        if not path.exists() or schema_version(path) != self._current_version or not has_users(path, users):
            say(f'making a database of {users:,} users, once')
            self.remove(path)
            making = self.folder / f'making-{users}.db'
            self.remove(making)
            self._make(making, users)
            making.rename(path)
        return path

    @functools.cached_property
    def _current_version(self):
        making = self.folder / 'making-1.db'
        self.remove(making)
        self._make(making, 1)
        return schema_version(making)

    def _make(self, path, users):
        """userd fills it, and its end empties the log into the file."""
        with subprocess.Popen([self.userd, '--listen_address=127.0.0.1:0', f'--database={path}',
                               f'--generate_users={users}', '--log_level=warn'],
                              stdout=subprocess.PIPE, text=True) as process:
            line = process.stdout.readline()
            process.terminate()
            process.stdout.read()
        if process.returncode != 0 or not line.startswith('listening on '):
            raise RuntimeError(f'userd could not make a database of {users} users')

    def copy(self, users):
        """Such a database to write to; nothing of it is left to be written to the disk."""
        original, path = self.of(users), self.folder / 'copy.db'
        self.remove(path)
        shutil.copyfile(original, path)
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        return path

    @staticmethod
    def remove(path):
        for suffix in ('', '-wal', '-shm', '-journal'):
            pathlib.Path(f'{path}{suffix}').unlink(missing_ok=True)
