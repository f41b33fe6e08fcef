"""The results for people, and for programs."""

import json

from summary import series, spread


def table(head, rows):
    """Aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append('  '.join(cells).rstrip())
    return '\n'.join(lines)


def number(value):
    """Three digits, with commas."""
    if abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.1f}' if abs(value) >= 10 else f'{value:.2f}'


def spread_text(found, unit=''):
    if found is None:
        return '-'
    if found.rounds == 1:
        return f'{number(found.median)}{unit}'
    return f'{number(found.median)}{unit} ({number(found.least)}-{number(found.most)})'


def verdict_table(verdicts):
    """What is to be reached, and whether it was."""
    return table(('WORK', 'TARGET', 'MEDIAN (LEAST-MOST)', 'VERDICT'),
                 [(one.row.work, one.row.target(), spread_text(one.spread, one.row.unit), one.text)
                  for one in verdicts])


BUSY_LOAD_AVERAGE = 0.5

METRICS = ('calls_per_s', 'users_per_s', 'cpu_us', 'p50_us', 'p99_us', 'p999_us', 'load_busy')


def measurement_table(rounds):
    """Medians of everything that was measured as a load or a loop."""
    names = dict.fromkeys(key.rsplit('.', 1)[0] for one in rounds for key in one if key.endswith('.calls_per_s'))
    rows = []
    for name in names:
        found = [spread(series(rounds, f'{name}.{metric}')) for metric in METRICS]
        rows.append((name, *(spread_text(one) if metric in ('calls_per_s', 'cpu_us') or one is None
                             else number(one.median) for one, metric in zip(found, METRICS))))
    return table(('MEASUREMENT', 'CALLS/S', 'USERS/S', 'CPU US/CALL', 'P50 US', 'P99 US', 'P99.9 US', 'LOAD BUSY'),
                 rows)


def memory_table(rounds):
    names = dict.fromkeys(key for one in rounds for key in one if key.endswith('.peak_mib'))
    return table(('PEAK MEMORY', 'MIB'),
                 [(name.rsplit('.', 1)[0], spread_text(spread(series(rounds, name)))) for name in names])


def description(machine, settings, rounds):
    """What the results hold for, in a line."""
    return (f'{machine["processor"]}, {machine["processors"]} processors, {machine["memory_gib"]} GiB; '
            f'Linux {machine["kernel"]}; {settings["users"]:,} users, {len(rounds)} rounds; '
            f'commit {machine["commit"]}')


def print_results(machine, settings, rounds, verdicts):
    print(f'\n{description(machine, settings, rounds)}')
    if machine['load_average'] > BUSY_LOAD_AVERAGE:
        print(f'Others used the machine (load average {machine["load_average"]:.1f} at the beginning): trust the '
              'ratios of processor time alone.')
    print('The median of the rounds, each of which compares within itself; in brackets the least and the most.\n')
    print(verdict_table(verdicts))
    print(f'\n{measurement_table(rounds)}\n\n{memory_table(rounds)}')


def write_json(path, machine, settings, rounds, verdicts):
    rows = [{'name': one.row.name, 'work': one.row.work, 'target': one.row.target(), 'verdict': one.text,
             **({'median': one.spread.median, 'least': one.spread.least, 'most': one.spread.most,
                 'rounds': one.spread.rounds} if one.spread else {})} for one in verdicts]
    path.write_text(json.dumps({'machine': machine, 'settings': settings, 'rows': rows, 'rounds': rounds}, indent=1))


def markdown(machine, settings, rounds, verdicts):
    """The same, to stand in a document: what is to be reached as a table, the rest as text."""
    versions = ', '.join(f'{name} {version}' for name, version in machine['packages'].items() if version)
    lines = [f'{description(machine, settings, rounds)}; {settings["minutes"]} minutes. {versions}.', '',
             '| work | target | median | least to most | |', '|---|---|---|---|---|']
    for one in verdicts:
        found = one.spread
        median = '-' if found is None else f'{number(found.median)}{one.row.unit}'
        extent = '-' if found is None or found.rounds == 1 else f'{number(found.least)} to {number(found.most)}'
        lines.append(f'| {one.row.work} | {one.row.target()} | {median} | {extent} | {one.text} |')
    return '\n'.join([*lines, '', '```text', measurement_table(rounds), '', memory_table(rounds), '```', ''])
