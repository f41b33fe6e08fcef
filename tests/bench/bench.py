#!/usr/bin/python3
"""Measures userd beside the floors under it and beside its peers, all in one alternating run.

    bench.py --bin=DIR --build=DIR [--quick] [--only=ROWS] [--rounds=N]

DIR of --bin has the programs of CMake's target `bench`; that of --build takes databases, which are kept, results.json,
results.md (the tables, to stand in a document) and the plots. In each round every contestant is started in turn, the
server on one processor, the load on the others; the echo and userd run at once and are asked for users in turn. Prints
one table of what is to be reached and whether it was, and one of everything that was measured.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import sys
import time

import answers
import contestants
import loads
import machine
import plots
import report
from databases import Databases
from rows import PLOTS, ROWS
from sessions import FULL, ONCE, QUICK, SESSIONS, Context, Sessions, mix
from summary import verdict

CONCURRENCY_ROUNDS = 3


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse_arguments():
    names = [row.name for row in ROWS] + list(PLOTS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--bin', type=pathlib.Path, required=True)
    parser.add_argument('--build', type=pathlib.Path, required=True)
    parser.add_argument('--quick', action='store_true',
                        help='small, short, one round: shows that everything works, and no more')
    parser.add_argument('--only', metavar='ROWS', default='', help=f'some of {",".join(names)}')
    parser.add_argument('--rounds', type=int, help=f'{FULL.rounds} if not given')
    options = parser.parse_args()
    options.only = options.only.split(',') if options.only else names
    for name in options.only:
        if name not in names:
            parser.error(f'--only: there is no row {name}; there are {", ".join(names)}')
    return options


def wanted_measurements(names):
    wanted = {need for row in ROWS if row.name in names for need in row.needs}
    return wanted | {need for name in names for need in PLOTS.get(name, ())}


class TableSizes:
    """userd on tables of several sizes, all running at once and asked in turn: a large one takes long to start."""

    def __init__(self, context, databases, commands, log):
        self.context = context
        self.servers = contextlib.ExitStack()
        self.by_size = {}
        for size in context.scale.table_sizes:
            database = databases.of(size, say)
            self.by_size[size] = self.servers.enter_context(
                contestants.Server('userd', commands['userd'], database, log))

    def run(self, found):
        for size, server in self.by_size.items():
            say(f'  userd with {size:,} users')
            context = dataclasses.replace(self.context, server=server, load=loads.Load(
                self.context.load.userctl, size, self.context.scale.seconds, self.context.scale.warmup_seconds))
            with contextlib.suppress(loads.NothingMeasured):
                for name in ('get', 'list'):
                    for metric, value in mix(name)(context).items():
                        found[f'size_{size}.{name}.{metric}'] = value
        sizes = self.context.scale.table_sizes
        for name, size in (('smallest', sizes[0]), ('largest', sizes[-1])):
            if f'size_{size}.get.cpu_us' in found:
                found[f'{name}.get.cpu_us'] = found[f'size_{size}.get.cpu_us']


def run_rounds(sessions, scale, wanted, make_sizes):
    rounds = []
    for number in range(scale.rounds):
        say(f'round {number + 1} of {scale.rounds}')
        found = {}
        now = wanted if number < CONCURRENCY_ROUNDS else {
            name for name in wanted if not name.endswith('.concurrency')}
        for session in SESSIONS + (ONCE if number == 0 else []):
            sessions.run(session, now, found)
        rounds.append(found)
    if {'smallest.get', 'largest.get'} & wanted:
        sizes = make_sizes()
        with sizes.servers:
            for number, found in enumerate(rounds):
                say(f'table sizes, round {number + 1} of {scale.rounds}')
                sizes.run(found)
    return rounds


def main():
    options = parse_arguments()
    scale = QUICK if options.quick else FULL
    scale = dataclasses.replace(scale, rounds=options.rounds or scale.rounds)
    build, binaries = options.build.resolve(), options.bin.resolve()
    build.mkdir(parents=True, exist_ok=True)
    machine.raise_file_limit(scale.connections + 400)
    begun = time.monotonic()
    with (build / 'log').open('w+') as log:
        try:
            go_server = contestants.build_go(build, log)
        except Exception:
            log.seek(0)
            say(log.read())
            raise
        programs = contestants.Programs(binaries / 'userd', binaries / 'userctl', binaries / 'echo_server',
                                        binaries / 'sqlite_loops', go_server)
        commands = contestants.commands(programs)
        databases = Databases(build / 'databases', programs.userd)
        differences = answers.differences(commands, programs.userctl, databases, log)
        if differences:
            sys.exit('The contestants answer differently:\n' + '\n'.join(differences))
        load = loads.Load(programs.userctl, scale.users, scale.seconds, scale.warmup_seconds)
        context = Context(scale, load, programs)
        about = machine.describe(pathlib.Path(__file__).parents[2])
        rounds = run_rounds(Sessions(context, databases, commands, log, say), scale,
                            wanted_measurements(options.only),
                            lambda: TableSizes(context, databases, commands, log))
    verdicts = [verdict(row, rounds) for row in ROWS if row.name in options.only]
    minutes = round((time.monotonic() - begun) / 60, 1)
    settings = {**dataclasses.asdict(scale), 'quick': options.quick, 'minutes': minutes}
    report.print_results(about, settings, rounds, verdicts)
    report.write_json(build / 'results.json', about, settings, rounds, verdicts)
    (build / 'results.md').write_text(report.markdown(about, settings, rounds, verdicts))
    plots.draw_all(build / 'plots', rounds, say)
    say(f'\n{minutes} minutes. {os.path.relpath(build)}/results.json has every round, results.md the '
        'tables, plots/ the plots.')


if __name__ == '__main__':
    main()
