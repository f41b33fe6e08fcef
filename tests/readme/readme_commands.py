"""Finds the commands in a README. readme_test.py says by which rules."""

import dataclasses
import re
import subprocess

FENCE = re.compile(r'^```(\w*)[ \t]*\n(.*?)^```[ \t]*$', re.MULTILINE | re.DOTALL)
EXITS = re.compile(r'#\s*exits (\d+)\s*$')


@dataclasses.dataclass
class Command:
    text: str
    line: int  # of the README, from 1
    exit_code: int = 0  # the one that the README promises


def is_complete(text):
    """Whether the shell would run it, or wait for the rest: a quote, a loop, a here-document, a backslash."""
    if text.endswith('\\\n'):
        return False
    check = subprocess.run(['bash', '-n', '-c', text], capture_output=True, text=True, check=False)
    return check.returncode == 0 and not check.stderr


def commands_in(readme):
    """All commands of the blocks marked sh and console, in order."""
    commands = []
    for block in FENCE.finditer(readme):
        if block[1] in ('sh', 'console'):
            first_line = readme.count('\n', 0, block.start(2)) + 1
            commands += commands_in_block(block[2], block[1], first_line)
    return commands


def commands_in_block(block, kind, first_line):
    commands, text, start = [], '', 0
    for number, line in enumerate(block.splitlines(), first_line):
        if not text:
            start = number
            if kind == 'console':
                if not line.startswith('$ '):
                    continue
                line = line[2:]
            elif not line.strip() or line.lstrip().startswith('#'):
                continue
        elif kind == 'console' and line.startswith('> '):
            line = line[2:]
        text += line + '\n'
        if is_complete(text):
            exits = EXITS.search(text)
            commands.append(Command(text.strip(), start, int(exits[1]) if exits else 0))
            text = ''
    if text:
        raise ValueError(f'README.md:{start}: this command has no end: {text}')
    return commands
