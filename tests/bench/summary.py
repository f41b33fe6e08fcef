"""Medians, spreads and verdicts: what many rounds of one measurement come to.

A round is a dictionary from 'CONTESTANT.MEASUREMENT.METRIC' to what was measured in it. A row compares within each
round, in which both sides ran one after the other, and only then takes the median: what a machine does to all
contestants of a round cancels out.
"""

import dataclasses
import statistics
from typing import Callable, Optional

NOT_SERVED = 'not served'
NOT_MEASURED = 'not measured'


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median, with the least and the largest that it comes from."""
    median: float
    least: float
    most: float
    rounds: int


def spread(values):
    """None of no values."""
    if not values:
        return None
    return Spread(statistics.median(values), min(values), max(values), len(values))


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: what is compared, and what it is to come to."""
    name: str  # for --only
    work: str
    measure: Callable[[dict], float]  # of one round; KeyError if the round has not got it all
    needs: tuple  # 'CONTESTANT.MEASUREMENT' of all that it reads
    at_least: Optional[float] = None
    at_most: Optional[float] = None
    unit: str = ''

    def target(self):
        if self.at_least is not None:
            return f'at least {self.at_least:g}{self.unit}'
        return f'at most {self.at_most:g}{self.unit}'

    def values(self, rounds):
        found = []
        for one in rounds:
            try:
                found.append(self.measure(one))
            except (KeyError, ZeroDivisionError):
                continue
        return found

    def reached(self, value):
        return value >= self.at_least if self.at_least is not None else value <= self.at_most


@dataclasses.dataclass(frozen=True)
class Verdict:
    row: Row
    spread: Optional[Spread]
    text: str  # 'reached', 'missed', NOT_SERVED, NOT_MEASURED


def verdict(row, rounds):
    measured = spread(row.values(rounds))
    if measured is None:
        refused = any(one.get(f'{need}.{NOT_SERVED}') for one in rounds for need in row.needs)
        return Verdict(row, None, NOT_SERVED if refused else NOT_MEASURED)
    return Verdict(row, measured, 'reached' if row.reached(measured.median) else 'missed')


def series(rounds, key):
    """What the rounds have under a key, in their order."""
    return [one[key] for one in rounds if key in one]
