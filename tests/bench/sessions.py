"""What is measured of each contestant, session by session. A session is a contestant on a database, started for it, or two
that run at once and are asked in turn."""

import collections
import contextlib
import dataclasses
import pathlib
import statistics
from typing import Callable, Optional

import contestants
import loads
import machine
from summary import NOT_SERVED

CONCURRENCIES = (1, 4, 16, 64, 256)
ROUND_TRIPS_MS = (0, 1, 5, 20)
PAGE_SIZE = 100
TURNS = 5
SCAN = "name:\"no name has this in it\""  # what no index answers


@dataclasses.dataclass(frozen=True)
class Scale:
    """How large, and how long."""
    users: int
    table_sizes: tuple
    connections: int
    watchers: int
    import_users: int  # a stream
    seconds: float
    warmup_seconds: float
    fill_seconds: float  # before reads by number are measured: until caches of the table hold what they can
    rounds: int


FULL = Scale(1_000_000, (10_000, 100_000, 1_000_000, 10_000_000), 10_000, 1000, 20_000, 2, 0.5, 4, 5)
QUICK = Scale(20_000, (2_000, 20_000), 500, 20, 2_000, 0.4, 0.1, 0.1, 1)


@dataclasses.dataclass
class Context:
    """What a measurement works with."""
    scale: Scale
    load: loads.Load
    programs: contestants.Programs
    database: pathlib.Path = None
    server: Optional[contestants.Server] = None

    def run(self, *arguments, **options):
        return self.load.run(self.server, *arguments, **options)


def mix(name, *more, **options):
    return lambda context: context.run(f'--mix={name}', *more, **options)


def get(context):
    return context.run('--mix=get', warmup=context.scale.fill_seconds)


def create(context, *more):
    return context.run('--mix=create', '--concurrency=256', *more)


def create_watched(context):
    return create(context, f'--watchers={context.scale.watchers}')


def export(context):
    return context.run('--mix=export', '--calls=2', '--concurrency=1', warmup=0)


def bulk_import(context):
    return context.run('--mix=import', '--calls=8', '--concurrency=4',
                       f'--import-users={context.scale.import_users}', warmup=0)


def last_page(context):
    return context.run('--mix=list', f'--pages={context.scale.users // PAGE_SIZE}')


def get_beside(context):
    scan = ('--mix=count', '--concurrency=1', f'--filter={SCAN}')
    with context.load.beside(context.server, scan, ('--mix=create', '--concurrency=256')):
        return context.run('--mix=get')


def memory(context):
    return {'idle_mib': machine.status_kib(context.server.pid, 'VmRSS') / 1024}


def connections(context):
    return {'each_kib': loads.idle_connections(context.server, context.scale.connections)}


def concurrency(context):
    """Throughput against calls in flight."""
    return {str(calls): context.run('--mix=get', f'--concurrency={calls}',
                                    seconds=context.scale.seconds / 2)['calls_per_s']
            for calls in CONCURRENCIES}


def gather(context):
    found = {}
    for round_trip in ROUND_TRIPS_MS:
        sequential, gathered = context.load.gather(context.server, round_trip)
        found[f'sequential_{round_trip}'], found[f'gathered_{round_trip}'] = sequential, gathered
    return found


def raw(loop, batch=1, fills=False):
    def measure(context):
        warmup = context.scale.fill_seconds if fills else context.scale.warmup_seconds
        return loads.sqlite_loop(context.programs.sqlite_loops, loop, context.database, context.scale.seconds, warmup,
                                 batch)
    return measure


@dataclasses.dataclass(frozen=True)
class Session:
    contestants: str  # 'sqlite' is no server; 'A+B' are asked in turn, TURNS times
    measurements: dict  # by name, a function from Context to metrics
    writes: bool = False  # on a copy of its own
    fills: bool = False  # asked for users first, until the caches of the table hold what they can

    @property
    def names(self):
        return self.contestants.split('+')


READS = {'get': get, 'list': mix('list')}
WRITES = {'create': create}

# In this order in each round, so that what is compared runs close together.
SESSIONS: list = [
    Session('userd', {'memory': memory}),
    Session('echo+userd', {'get': mix('get')}, fills=True),
    Session('echo', {'concurrency': concurrency}),
    Session('userd', {'batch_get': mix('batch_get'), 'concurrency': concurrency,
                      'first_page': mix('list', '--pages=1'), 'last_page': last_page, 'export': export,
                      'list': mix('list')}, fills=True),
    Session('sqlite', {'page': raw('page'), 'scan': raw('scan'), 'select_open': raw('select_open', fills=True)}),
    Session('go', {**READS, 'concurrency': concurrency}),
    Session('seed', {**READS, 'concurrency': concurrency}),
    Session('userd', {'create_unwatched': create, 'create_watched': create_watched, 'get_alone': get,
                      'get_beside': get_beside}, writes=True),
    Session('userd', {**WRITES, 'lone_create': mix('create', '--concurrency=1'), 'import': bulk_import}, writes=True),
    Session('sqlite', {'insert_256': raw('insert', 256), 'insert_1': raw('insert', 1),
                       'insert_1000': raw('insert', 1000)}, writes=True),
    Session('userd_single', WRITES, writes=True),
    Session('go', WRITES, writes=True),
    Session('seed', WRITES, writes=True),
]

# In the first round alone: what they tell of varies little, and takes long.
ONCE: list = [
    Session('userd', {'connections': connections}),
    Session('userd', {'gather': gather}),
]


class Sessions:
    """Runs those of a round that are wanted, and collects 'CONTESTANT.MEASUREMENT.METRIC'."""

    def __init__(self, context, databases, commands, log, say):
        self.context = context
        self.databases = databases
        self.commands = commands
        self.log = log
        self.say = say

    def run(self, session, wanted, found):
        chosen = {name: function for name, function in session.measurements.items()
                  if any(f'{contestant}.{name}' in wanted for contestant in session.names)}
        if not chosen:
            return
        users = self.context.scale.users
        self.context.database = self.databases.copy(users) if session.writes else self.databases.of(users, self.say)
        if session.names == ['sqlite']:
            self._measure({'sqlite': None}, chosen, found)
            return
        with contextlib.ExitStack() as running:
            servers = {name: running.enter_context(contestants.Server(name, self.commands[name], self.context.database,
                                                                      self.log)) for name in session.names}
            if session.fills:
                for server in servers.values():
                    self.context.server = server
                    self.context.run('--mix=get', seconds=self.context.scale.fill_seconds, warmup=0)
            self._measure(servers, chosen, found)
            kind = 'writing' if session.writes else 'reading'
            for name, server in servers.items():
                key = f'{name}.{kind}.peak_mib'
                found[key] = max(found.get(key, 0), machine.status_kib(server.pid, 'VmHWM') / 1024)

    def _measure(self, servers, chosen, found):
        for name, function in chosen.items():
            turns = collections.defaultdict(list)
            for _ in range(TURNS if len(servers) > 1 else 1):
                for contestant, server in servers.items():
                    self.context.server = server
                    key = f'{contestant}.{name}'
                    self.say(f'  {key}')
                    try:
                        turns[key].append(function(self.context))
                    except loads.Refused:
                        found[f'{key}.{NOT_SERVED}'] = True
                    except loads.NothingMeasured as error:
                        self.say(f'  {key}: {error}; left out of this round')
            for key, metrics in turns.items():
                found.update((f'{key}.{metric}', middle([turn[metric] for turn in metrics])) for metric in metrics[0])


def middle(values):
    """The median; of what is no number, the last."""
    return statistics.median(values) if isinstance(values[0], (int, float)) else values[-1]
