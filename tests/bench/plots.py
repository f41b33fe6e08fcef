"""The plots, by gnuplot: each as SVG and as PNG."""

import statistics
import subprocess

from sessions import CONCURRENCIES, ROUND_TRIPS_MS
from summary import series

# In the order in which they are drawn, with the colours of Okabe and Ito, which the colour-blind tell apart.
TITLES = {'echo': 'bare echo', 'userd': 'userd', 'go': 'grpc-go + go-sqlite3', 'seed': 'grpc.aio + aiosqlite'}
COLOURS = {'echo': '#888888', 'userd': '#0072B2', 'go': '#E69F00', 'seed': '#009E73'}

TERMINALS = {'svg': 'svg size 800,480 background "white" font "sans,14"',
             'png': 'pngcairo size 1000,600 background "white" font "sans,14"'}


def draw(folder, name, script, say):
    """`script` holds its data in blocks ($name << EOD)."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, terminal in TERMINALS.items():
        path = folder / f'{name}.{kind}'
        begin = (f'set terminal {terminal}\nset output "{path}"\nset grid linetype 1 linecolor "#e4e4e4"\n'
                 'set border 3\nset tics nomirror\nset key outside top center horizontal\n')
        done = subprocess.run(['gnuplot'], input=begin + script, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            say(f'gnuplot could not draw {path}: {done.stderr}')


def block(name, points):
    lines = '\n'.join(' '.join(map(str, point)) for point in points)
    return f'${name} << EOD\n{lines}\nEOD\n'


def lines_of(curves, style='linespoints linewidth 2 pointtype 7 pointsize 0.7'):
    """Curves by contestant: their data, and the plot command."""
    data = ''.join(block(name, points) for name, points in curves.items())
    plots = ', '.join(f'${name} using 1:2 with {style} linecolor "{COLOURS[name]}" title "{TITLES[name]}"'
                      for name in curves)
    return data, f'plot {plots}\n'


def median_of(rounds, key):
    values = series(rounds, key)
    return statistics.median(values) if values else None


def throughput_against_concurrency(folder, rounds, say):
    curves = {}
    for name in TITLES:
        points = [(calls, median_of(rounds, f'{name}.concurrency.{calls}')) for calls in CONCURRENCIES]
        if all(rate is not None for _, rate in points):
            curves[name] = points
    if curves:
        data, plot = lines_of(curves)
        draw(folder, 'concurrency', data + 'set title "GetUser: throughput against calls in flight"\n'
             'set xlabel "calls in flight"\nset ylabel "calls a second"\nset logscale x 2\nset logscale y\n'
             'set format y "%.0f"\n' + plot, say)


def middle_distribution(rounds, key):
    """That of the round whose median is the median."""
    found = sorted((one for one in rounds if f'{key}.p50_us' in one), key=lambda one: one[f'{key}.p50_us'])
    return found[len(found) // 2][f'{key}.distribution'] if found else None


def latency_distribution(folder, rounds, say):
    """Percentiles on a scale on which each nine has the same room."""
    curves = {}
    for name in TITLES:
        distribution = middle_distribution(rounds, f'{name}.get')
        if distribution:
            curves[name] = [(1 / (1 - percentile / 100), us / 1000) for percentile, us in distribution
                            if percentile < 99.995]
    if curves:
        data, plot = lines_of(curves, 'lines linewidth 2')
        draw(folder, 'latency', data + 'set title "GetUser, 64 calls in flight: latency by percentile"\n'
             'set xlabel "percentile"\nset ylabel "milliseconds"\nset logscale x\nset logscale y\n'
             'set xrange [1:10000]\nset xtics ("0" 1, "50" 2, "90" 10, "99" 100, "99.9" 1000, "99.99" 10000)\n'
             + plot, say)


def cost_against_table_size(folder, rounds, say):
    sizes = sorted({int(key.split('.')[0].removeprefix('size_')) for one in rounds for key in one
                    if key.startswith('size_')})
    if len(sizes) > 1:
        data, plots = '', []
        for name, title, colour in (('get', 'GetUser', '#0072B2'), ('list', 'ListUsers of 100', '#D55E00')):
            data += block(name, [(size, median_of(rounds, f'size_{size}.{name}.cpu_us')) for size in sizes])
            plots.append(f'${name} using 1:2 with linespoints linewidth 2 pointtype 7 linecolor "{colour}" '
                         f'title "{title}"')
        draw(folder, 'table_size', data + 'set title "userd: processor time a call against users in the table"\n'
             'set xlabel "users in the table"\nset ylabel "microseconds of the server"\nset logscale x\n'
             'set format x "10^{%L}"\nset yrange [0:*]\n'
             f'plot {", ".join(plots)}\n', say)


def sequence_against_gather(folder, rounds, say):
    points = [(round_trip, median_of(rounds, f'userd.gather.sequential_{round_trip}'),
               median_of(rounds, f'userd.gather.gathered_{round_trip}')) for round_trip in ROUND_TRIPS_MS]
    if all(sequential is not None for _, sequential, _ in points):
        draw(folder, 'gather', block('gather', points) +
             'set title "114 independent RPCs, in sequence and gathered"\nset xlabel "added round trip, milliseconds"\n'
             'set ylabel "milliseconds for all"\nset logscale y\nset style data histogram\n'
             'set style histogram clustered gap 1\nset style fill solid 0.9\nset boxwidth 0.9\n'
             'plot $gather using 2:xtic(1) linecolor "#D55E00" title "one after another", '
             '$gather using 3 linecolor "#0072B2" title "gathered"\n', say)


def draw_all(folder, rounds, say):
    for plot in (throughput_against_concurrency, latency_distribution, cost_against_table_size,
                 sequence_against_gather):
        plot(folder, rounds, say)
