#!/usr/bin/python3
"""What README.md says that is not a command, compared with what it speaks of.

Takes the folder of userd from the environment, as USERSERVICE_BIN_DIR.
"""

import os
import pathlib
import re
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
README = (TOP / 'README.md').read_text('utf-8')


def rows_below(heading):
    """The cells of the first table below a heading, without its head."""
    section = README.partition(f'\n## {heading}\n')[2].partition('\n## ')[0]
    rows = [[cell.strip() for cell in line.strip('|').split('|')]
            for line in section.splitlines() if line.startswith('|')]
    assert len(rows) > 2, f'README.md has no table below "{heading}"'
    return rows[2:]


def flags_in_help():
    """[flag, default, meaning] for each flag that `userd --help` shows."""
    userd = pathlib.Path(os.environ['USERSERVICE_BIN_DIR'], 'userd')
    text = subprocess.run([userd, '--help'], capture_output=True, text=True, check=True).stdout
    flag = re.compile(r'^  (--\w+)(?: [^=\n]*=(\S*))? \(Env:\w+\)\s+(.*)$', re.MULTILINE)
    return [[f'`{m[1]}`', f'`{m[2]}`' if m[2] else 'off', m[3]] for m in flag.finditer(text)]


def reasons_in_proto():
    """(status, reason) for each value of ErrorReason; its comment begins with the status."""
    text = (TOP / 'proto/users/v1/errors.proto').read_text('utf-8')
    value = re.compile(r'^  // ([A-Z_]+)[:,].*\n(?:  //.*\n)*  ERROR_REASON_(\w+) = \d+;$', re.MULTILINE)
    assert len(value.findall(text)) == len(re.findall(r'ERROR_REASON_\w+ = [1-9]', text))
    return {(m[1], m[2]) for m in value.finditer(text)}


class ReadmeText(unittest.TestCase):
    def test_shows_the_program_that_the_clients_test_builds(self):
        program = (TOP / 'tests/client/install/main.cc').read_text('utf-8')
        self.assertTrue(f'```cpp\n{program}```\n' in README, 'README.md shows another program')

    def test_lists_the_flags_of_userd_with_its_own_words(self):
        self.maxDiff = None
        self.assertEqual(rows_below('Flags of userd'), flags_in_help())

    def test_lists_every_reason_with_its_status(self):
        listed = [(status, reason.strip('`')) for status, reason, _ in rows_below('Errors')]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertEqual(set(listed), reasons_in_proto())

    def test_names_only_files_that_there_are(self):
        in_tables = re.findall(r'`((?:proto|service|async|client|tests)/[\w/.]*)`', README)
        links = re.findall(r'\]\(([^)#:]+)\)', README)
        self.assertGreater(len(in_tables), 10)
        for path in in_tables + links:
            with self.subTest(path=path):
                self.assertTrue((TOP / path).exists())


if __name__ == '__main__':
    unittest.main()
