"""The machine: which processors the server and the load get, what a process used, and what all ran on."""

import os
import pathlib
import platform
import resource
import subprocess


def cores():
    """(the server's, the load's), as taskset wants them: one for the server, the rest for the load."""
    mine = sorted(os.sched_getaffinity(0))
    rest = mine[1:] or mine
    return str(mine[0]), ','.join(map(str, rest))


def status_kib(pid, field):
    """A line of /proc/PID/status: VmRSS is what a process has in memory, VmHWM the most that it had."""
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(field + ':'):
            return int(line.split()[1])
    raise KeyError(field)


def raise_file_limit(files):
    """For this process and its children; gives how many there may be."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = files if most == resource.RLIM_INFINITY else min(files, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return allowed


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        return ''


def package_version(name):
    return first_line('dpkg-query', '-W', '-f', '${Version}', name)


PACKAGES = ('libgrpc++1.51', 'libsqlite3-0', 'g++', 'python3-grpcio', 'python3-aiosqlite', 'golang-go',
            'golang-google-grpc-dev', 'golang-github-mattn-go-sqlite3-dev')


def describe(top):
    """What the results hold for."""
    model = next((line.split(':')[1].strip() for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), platform.machine())
    memory = pathlib.Path('/proc/meminfo').read_text().split()[1]
    return {
        'processor': model,
        'processors': len(os.sched_getaffinity(0)),
        'memory_gib': round(int(memory) / 2**20, 1),
        'kernel': platform.release(),
        'load_average': os.getloadavg()[0],
        'commit': first_line('git', '-C', str(top), 'describe', '--always', '--dirty'),
        'packages': {name: package_version(name) for name in PACKAGES},
    }
