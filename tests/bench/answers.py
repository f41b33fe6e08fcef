"""Before anything is timed: do all contestants answer the same?

Each starts on a copy of one small database, and is asked the same things. Times of creation differ, everything else
is compared with userd's answers.
"""

import json
import subprocess

import contestants

USERS = 1000


def ask(userctl, server, *arguments):
    """What userctl prints as JSON; of an error its status."""
    done = subprocess.run([userctl, f'--server={server.address}', '--output=json', *arguments],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        return done.stderr.split(':')[1].strip()  # "userctl: NOT_FOUND: ..."
    return json.loads(done.stdout)


def without_times(user):
    if isinstance(user, str):
        return user
    return {field: value for field, value in user.items() if not field.endswith('_time')}


def answers_of(userctl, server):
    """By what was asked. Both pages, since the second one needs a token that works."""
    ada = ('create', '--name=Ada', '--email=ada@bench.example', '--age=36')
    listed = ask(userctl, server, 'list', '--limit=200', '--page-size=100')
    return {
        'GetUser of the first': ask(userctl, server, 'get', '1'),
        'GetUser without an age': ask(userctl, server, 'get', '17'),
        'GetUser of the last': ask(userctl, server, 'get', str(USERS)),
        'GetUser of nobody': ask(userctl, server, 'get', str(USERS + 1)),
        'ListUsers, two pages': listed if isinstance(listed, str) else listed['users'],
        'CreateUser': without_times(ask(userctl, server, *ada)),
        'CreateUser, taken': ask(userctl, server, *ada),
        'GetUser of what was created': without_times(ask(userctl, server, 'get', str(USERS + 1))),
    }


def differences(commands, userctl, databases, log):
    """Lines that name who answered what otherwise."""
    found = []
    expected = None
    for name in ('userd', 'userd_single', 'go', 'seed'):
        database = databases.copy(USERS)
        with contestants.Server(name, commands[name], database, log) as server:
            answers = answers_of(userctl, server)
        if expected is None:
            expected = answers
        found += [f'{name}: {question}: {answers[question]!r} is not {expected[question]!r}'
                  for question in expected if answers[question] != expected[question]]
    if expected['CreateUser'] != expected['GetUser of what was created'] or expected['CreateUser, taken'] != (
            'ALREADY_EXISTS'):
        found.append(f'userd: {expected}')
    return found
