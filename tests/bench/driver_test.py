#!/usr/bin/python3
"""What the driver concludes from what it measured: medians, verdicts, tables."""

import contextlib
import sqlite3
import tempfile
import types
import unittest

import databases
import report
import rows
import sessions
from summary import NOT_MEASURED, NOT_SERVED, Row, Spread, spread, verdict


def row(**target):
    return Row('rate', 'rate against the floor', rows.ratio('a.get.calls_per_s', 'b.get.calls_per_s'),
               ('a.get', 'b.get'), **target)


def one_round(ours, floor):
    return {'a.get.calls_per_s': ours, 'b.get.calls_per_s': floor}


class Summaries(unittest.TestCase):
    def test_a_spread_is_the_median_with_the_least_and_the_most(self):
        self.assertEqual(spread([5, 1, 2]), Spread(2, 1, 5, 3))
        self.assertEqual(spread([1, 2, 4, 100]).median, 3)
        self.assertIsNone(spread([]))

    def test_sides_are_compared_within_their_round(self):
        # The machine got ten times as slow in the last round, for both.
        found = verdict(row(at_least=0.5), [one_round(60, 100), one_round(50, 100), one_round(4, 10)])
        self.assertEqual(found.spread, Spread(0.5, 0.4, 0.6, 3))
        self.assertEqual(found.text, 'reached')

    def test_a_target_is_a_least_or_a_most(self):
        rounds = [one_round(90, 100)]
        self.assertEqual(verdict(row(at_least=0.9), rounds).text, 'reached')
        self.assertEqual(verdict(row(at_least=0.91), rounds).text, 'missed')
        self.assertEqual(verdict(row(at_most=0.9), rounds).text, 'reached')
        self.assertEqual(verdict(row(at_most=0.89), rounds).text, 'missed')

    def test_a_round_that_has_one_side_alone_does_not_count(self):
        found = verdict(row(at_least=1), [{'a.get.calls_per_s': 100}, one_round(100, 50), one_round(1, 0)])
        self.assertEqual(found.spread, Spread(2, 2, 2, 1))

    def test_what_nobody_measured_is_not_missed(self):
        self.assertEqual(verdict(row(at_least=1), [{}]).text, NOT_MEASURED)
        self.assertEqual(verdict(row(at_least=1), [{f'a.get.{NOT_SERVED}': True}]).text, NOT_SERVED)


class Rows(unittest.TestCase):
    def test_names_are_unique_and_each_row_has_one_target(self):
        names = [one.name for one in rows.ROWS] + list(rows.PLOTS)
        self.assertEqual(len(names), len(set(names)))
        for one in rows.ROWS:
            self.assertEqual((one.at_least is None) + (one.at_most is None), 1, one.name)

    def test_every_need_is_measured_in_some_session(self):
        measured = {f'{contestant}.{name}' for session in sessions.SESSIONS + sessions.ONCE
                    for contestant in session.names for name in session.measurements} | {'smallest.get', 'largest.get'}
        needs = {need for one in rows.ROWS for need in one.needs}
        needs |= {need for plot in rows.PLOTS.values() for need in plot}
        self.assertEqual(needs, measured)

    def test_a_row_reads_what_it_says_it_needs(self):
        for one in rows.ROWS:
            asked = set()

            class Asked(dict):
                def __missing__(self, key):
                    asked.add('.'.join(key.split('.')[:2]))
                    return 1.0

            one.measure(Asked())
            self.assertEqual(asked, set(one.needs), one.name)

    def test_a_batch_is_compared_with_an_echo_and_a_hundred_selects(self):
        batch = next(one for one in rows.ROWS if one.name == 'batch_get')
        self.assertAlmostEqual(batch.measure({'userd.batch_get.cpu_us': 250, 'echo.get.cpu_us': 50,
                                              'sqlite.select_open.cpu_us': 1.5}), 1.25)


class Measuring(unittest.TestCase):
    def test_what_runs_at_once_is_asked_in_turn_and_the_median_counts(self):
        asked, found = [], {}

        def measure(context):
            asked.append(context.server)
            return {'rate': len(asked), 'distribution': [len(asked)]}

        everything = sessions.Sessions(types.SimpleNamespace(), None, {}, None, lambda text: None)
        everything._measure({'a': 'A', 'b': 'B'}, {'get': measure}, found)  # pylint: disable=protected-access
        self.assertEqual(sessions.TURNS, 5)
        self.assertEqual(asked, ['A', 'B'] * 5)
        self.assertEqual(found, {'a.get.rate': 5, 'a.get.distribution': [9],
                                 'b.get.rate': 6, 'b.get.distribution': [10]})

    def test_what_runs_alone_is_asked_once(self):
        found = {}
        everything = sessions.Sessions(types.SimpleNamespace(), None, {}, None, lambda text: None)
        everything._measure({'a': 'A'}, {'get': lambda context: {'rate': 3}}, found)  # pylint: disable=protected-access
        self.assertEqual(found, {'a.get.rate': 3})


class MadeDatabases(databases.Databases):
    """As userd would make them, with their numbers alone."""

    made = 0

    def _make(self, path, users):
        self.made += 1
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute('CREATE TABLE users (user_id INTEGER PRIMARY KEY)')
            connection.executemany('INSERT INTO users VALUES (?)', [(number + 1,) for number in range(users)])


class DatabasesThatAreKept(unittest.TestCase):
    def test_one_is_made_once_and_anew_when_something_else_has_written_to_it(self):
        with tempfile.TemporaryDirectory() as folder:
            made = MadeDatabases(folder, userd=None)
            path = made.of(3)
            self.assertEqual(made.of(3), path)
            self.assertEqual(made.made, 2)  # it, and the one that shows the version
            with contextlib.closing(sqlite3.connect(path)) as connection, connection:
                connection.execute('INSERT INTO users VALUES (4)')
            self.assertTrue(databases.has_users(made.of(3), 3))
            self.assertEqual(made.made, 3)


class Reports(unittest.TestCase):
    def test_a_verdict_is_a_line_of_the_table(self):
        lines = report.verdict_table([verdict(row(at_least=0.9), [one_round(1, 2), one_round(3, 4)]),
                                      verdict(row(at_most=30, unit=' MiB'), [])]).splitlines()
        self.assertIn('at least 0.9', lines[1])
        self.assertRegex(lines[1], r'0\.62 \(0\.50-0\.75\) +missed$')
        self.assertRegex(lines[2], r'at most 30 MiB +- +not measured$')

    def test_a_document_has_a_row_for_each_verdict_and_what_it_all_ran_on(self):
        machine = {'processor': 'A processor', 'processors': 2, 'memory_gib': 24, 'kernel': '6.1', 'commit': 'abc',
                   'packages': {'libsqlite3-0': '3.40.1', 'golang-go': ''}}
        settings = {'users': 1_000_000, 'minutes': 20}
        verdicts = [verdict(row(at_least=0.9), [one_round(1, 2), one_round(3, 4)]),
                    verdict(row(at_most=30, unit=' MiB'), [])]
        text = report.markdown(machine, settings, [{'echo.get.calls_per_s': 50000.0}], verdicts)
        self.assertIn('A processor, 2 processors, 24 GiB; Linux 6.1; 1,000,000 users, 1 rounds; commit abc', text)
        self.assertIn('libsqlite3-0 3.40.1.\n', text)
        self.assertIn('| rate against the floor | at least 0.9 | 0.62 | 0.50 to 0.75 | missed |', text)
        self.assertIn('| rate against the floor | at most 30 MiB | - | - | not measured |', text)
        self.assertIn('echo.get', text)

    def test_numbers_have_three_digits(self):
        self.assertEqual([report.number(value) for value in (0.123, 12.345, 123.4, 56789)],
                         ['0.12', '12.3', '123', '56,789'])

    def test_the_table_of_measurements_has_what_each_has(self):
        text = report.measurement_table([{'echo.get.calls_per_s': 50000.0, 'echo.get.cpu_us': 18.5}])
        self.assertRegex(text, r'echo\.get +50,000 +- +18\.5 +-')


if __name__ == '__main__':
    unittest.main()
