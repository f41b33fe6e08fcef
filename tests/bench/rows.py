"""The rows of the table: what the service is to reach, each as a ratio taken within a round."""

from summary import Row


def ratio(numerator, denominator):
    return lambda one: one[numerator] / one[denominator]


def of(one, *names):
    """The 'CONTESTANT.MEASUREMENT' in metric names."""
    return tuple(dict.fromkeys('.'.join(name.split('.')[:2]) for name in (one, *names)))


def compare(name, work, numerator, denominator, **target):
    return Row(name, work, ratio(numerator, denominator), of(numerator, denominator), **target)


def batch_get_floor(one):
    """An echo, and the bare SELECTs in one transaction."""
    return one['echo.get.cpu_us'] + 100 * one['sqlite.select_open.cpu_us']


def peer(name, title, get, page, create):
    """Three rows against another server: throughputs."""
    return [
        compare(f'{name}_get', f'GetUser against {title}, throughput',
                'userd.get.calls_per_s', f'{name}.get.calls_per_s', at_least=get),
        compare(f'{name}_list', f'ListUsers of 100 against {title}, throughput',
                'userd.list.calls_per_s', f'{name}.list.calls_per_s', at_least=page),
        compare(f'{name}_create', f'durable CreateUser against {title}, throughput',
                'userd.create.calls_per_s', f'{name}.create.calls_per_s', at_least=create),
    ]


ROWS = [
    compare('get_rate', 'GetUser, throughput against the echo',
            'userd.get.calls_per_s', 'echo.get.calls_per_s', at_least=0.97),
    compare('get_cpu', 'GetUser, server CPU against the echo',
            'userd.get.cpu_us', 'echo.get.cpu_us', at_most=1.10),
    Row('batch_get', 'BatchGetUsers of 100, CPU against echo + 100 raw SELECTs in one transaction',
        lambda one: one['userd.batch_get.cpu_us'] / batch_get_floor(one),
        ('userd.batch_get', 'echo.get', 'sqlite.select_open'), at_most=1.2),
    Row('list', 'ListUsers of 100, CPU a row against stepping the rows alone',
        lambda one: one['userd.list.cpu_us'] / 100 / one['sqlite.page.cpu_us_per_user'],
        ('userd.list', 'sqlite.page'), at_most=1.6),
    compare('export', 'ExportUsers of all, rows a second against sqlite3 stepping them',
            'userd.export.users_per_s', 'sqlite.scan.users_per_s', at_least=0.6),
    compare('create', 'durable CreateUser at 256 in flight, throughput against raw INSERTs in batches of 256',
            'userd.create.users_per_s', 'sqlite.insert_256.users_per_s', at_least=0.7),
    compare('group_commit', 'durable CreateUser against one commit a request, same server',
            'userd.create.calls_per_s', 'userd_single.create.calls_per_s', at_least=8),
    compare('lone_create', 'lone CreateUser, p50 against one raw durable INSERT',
            'userd.lone_create.p50_us', 'sqlite.insert_1.p50_us', at_most=1.5),
    compare('import', 'ImportUsers, rows a second against raw INSERTs in batches of 1,000',
            'userd.import.users_per_s', 'sqlite.insert_1000.users_per_s', at_least=0.8),
    compare('get_beside', 'GetUser p99 beside an unindexed scan of all and full-speed creates, against alone',
            'userd.get_beside.p99_us', 'userd.get_alone.p99_us', at_most=2),
    compare('deep_page', 'ListUsers of 100, CPU of the last page (10,000 of 1,000,000 users) against page 1',
            'userd.last_page.cpu_us', 'userd.first_page.cpu_us', at_most=1.2),
    compare('table_size', 'GetUser, CPU at the largest table (10,000,000 users) against 10,000',
            'largest.get.cpu_us', 'smallest.get.cpu_us', at_most=1.2),
    compare('watch', 'durable CreateUser with 1,000 watchers against none, throughput',
            'userd.create_watched.calls_per_s', 'userd.create_unwatched.calls_per_s', at_least=0.8),
    *peer('go', 'grpc-go + go-sqlite3', 2, 6, 10),
    *peer('seed', 'grpc.aio + aiosqlite', 16, 14, 24),
    Row('idle_memory', 'memory, idle', lambda one: one['userd.memory.idle_mib'], ('userd.memory',),
        at_most=30, unit=' MiB'),
    Row('connections', 'memory, each of 10,000 idle connections', lambda one: one['userd.connections.each_kib'],
        ('userd.connections',), at_most=20, unit=' KiB'),
]

# What the plots need beside that; names for --only as those of rows.
PLOTS = {
    'concurrency_plot': [f'{name}.concurrency' for name in ('echo', 'userd', 'go', 'seed')],
    'latency_plot': [f'{name}.get' for name in ('echo', 'userd', 'go', 'seed')],
    'size_plot': ['smallest.get', 'largest.get'],
    'gather_plot': ['userd.gather'],
}
