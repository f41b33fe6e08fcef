#!/usr/bin/env python3
"""The rules of the tree that a compiler does not check.

    lint.py RULE|all [TOP]     prints `path:line: what is wrong` for each finding; exits 1 if there is any

A rule is a function from the tree, a dictionary from paths to texts, to its findings. It is in RULES
by its name, is a test of ctest's by that name, and finds the bad input planted in lint_test.py.
"""

import os
import pathlib
import re
import sys

# What each folder may include of the project's own, and of gRPC, SQLite and the programs' libraries.
# Includes go one way: wire -> rpc -> handlers -> store -> sqlite. The longest folder that a file is
# under decides.
LAYERS = {
    'async': {'async', 'grpc'},
    'client': {'client', 'async', 'users', 'grpc'},
    'client/cli': {'client/cli', 'client', 'async', 'users', 'grpc', 'CLI'},
    'service': {'service', 'service/errors', 'service/handlers', 'service/rpc', 'service/store',
                'async', 'users', 'grpc', 'spdlog', 'CLI'},
    'service/errors': {'service/errors', 'users'},
    'service/handlers': {'service/handlers', 'service/rpc', 'service/store', 'service/errors',
                         'async', 'users'},
    'service/rpc': {'service/rpc', 'service/errors', 'async', 'users', 'grpc', 'spdlog'},
    'service/sqlite': {'service/sqlite', 'sqlite3.h'},
    'service/store': {'service/store', 'service/sqlite', 'service/errors', 'async', 'users'},
}
FOLDERS = {'async', 'client', 'cmake', 'proto', 'service', 'tests'}
SERVICE_FOLDERS = {'errors', 'handlers', 'rpc', 'sqlite', 'store'}
LINES_MAX = 500
COLUMNS_MAX = 100

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)


def cpp_files(tree):
    return ((path, text) for path, text in tree.items() if path.endswith(('.cc', '.h')))


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def matches(pattern, path, text, message):
    return [f'{path}:{line_of(text, m.start())}: {message.format(*m.groups())}'
            for m in re.finditer(pattern, text, re.MULTILINE)]


def layer_of(path):
    """The layer that a file, or an included file, belongs to; None for what has no layer."""
    if path.endswith('.grpc.pb.h'):
        return 'grpc'
    folder = os.path.dirname(path)
    while folder and folder not in LAYERS:
        folder = os.path.dirname(folder)
    if folder:
        return folder
    first = path.split('/')[0]
    if first == 'grpcpp':
        return 'grpc'
    return first if first in {'grpc', 'sqlite3.h', 'spdlog', 'CLI', 'users', 'tests'} else None


def layering(tree):
    """An include that crosses a layer."""
    findings = []
    for path, text in cpp_files(tree):
        allowed = LAYERS.get(layer_of(path))
        if allowed is None:  # tests may include anything
            continue
        for match in INCLUDE.finditer(text):
            layer = layer_of(match[1])
            at = f'{path}:{line_of(text, match.start())}:'
            if layer and layer not in allowed:
                findings.append(f'{at} {layer_of(path)} may not include {match[1]}')
            elif layer == 'sqlite3.h' and path.endswith('.h'):
                findings.append(f'{at} no header includes sqlite3.h')
    return findings


def includes(tree):
    """<iostream> outside the programs and the tests, since it adds a static constructor to every
    file; abseil's locks, which ThreadSanitizer does not see, outside async/mutex.h."""
    findings = []
    for path, text in cpp_files(tree):
        if path not in ('async/mutex.h', 'service/userd.cc', 'client/cli/main.cc'):
            findings += matches(r'^#include "(absl/synchronization/[^"]+)"', path, text,
                                '<{}>: async/mutex.h has what ThreadSanitizer sees')
        if not re.match(r'client/cli/|tests/|service/[^/]+$', path):
            findings += matches(r'^#include <(iostream)>', path, text, '<{}> belongs to programs')
    return findings


def sleeps(tree):
    """A test that sleeps is slow or flaky: it waits for a condition instead."""
    pattern = r'\b(sleep_(?:for|until)|u?sleep\(|nanosleep|SleepFor|time\.sleep)'
    return [finding for path, text in tree.items()
            if path.startswith('tests/') and not path.startswith('tests/lint/')
            and path.endswith(('.cc', '.h', '.py', '.sh'))
            for finding in matches(pattern, path, text, '{} in a test')]


def leftovers(tree):
    """Work left open belongs into the tracker; a test that does not run proves nothing, unless the
    system forbids it what it needs."""
    pattern = (r'\b(TO''DO|FIX''ME|X''XX\b|DIS''ABLED_\w+'
               r'|GTEST_''SKIP(?!\(\) << "this process may not ))')
    return [finding for path, text in tree.items()
            if path.endswith(('.cc', '.h', '.py', '.proto', '.sh', '.txt')) or path == 'run'
            for finding in matches(pattern, path, text, '{} left behind')]


def file_length(tree):
    return [f'{path}:{LINES_MAX + 1}: {lines} lines; {LINES_MAX} are the most'
            for path, text in tree.items()
            if path.endswith(('.cc', '.h', '.py', '.sh')) or path == 'run'
            for lines in [text.count('\n')] if lines > LINES_MAX]


def line_length(tree):
    """clang-format keeps code to it; this is for comments, which it leaves alone."""
    return [f'{path}:{number}: {len(line)} columns; {COLUMNS_MAX} are the most'
            for path, text in cpp_files(tree) for number, line in enumerate(text.split('\n'), 1)
            if len(line) > COLUMNS_MAX and not re.search(r'https?://|R"|NOLINT', line)]


def headers(tree):
    """A header opens with its contract, and has #pragma once."""
    findings = []
    for path, text in tree.items():
        if path.endswith('.h'):
            if not text.startswith('//'):
                findings.append(f'{path}:1: a header opens with what it is for')
            if not re.search(r'^#pragma once$', text, re.MULTILINE):
                findings.append(f'{path}:1: #pragma once is missing')
    return findings


def folders(tree):
    """One concept a file, named for it in snake_case, in one of the folders that there are."""
    findings = []
    for path, _ in tree.items():
        parts = path.split('/')
        if len(parts) > 1 and not parts[0].startswith('.') and parts[0] not in FOLDERS:
            findings.append(f'{path}:1: {parts[0]}/ is none of the top-level folders')
        if parts[0] == 'service' and len(parts) > 2 and parts[1] not in SERVICE_FOLDERS:
            findings.append(f'{path}:1: {parts[1]}/ is none of the folders of service/')
        if path.endswith(('.cc', '.h', '.py')) and not re.fullmatch(r'[a-z0-9_]+\.\w+', parts[-1]):
            findings.append(f'{path}:1: a file is named in snake_case')
    return findings


def without_comments_and_strings(text):
    """The same text, as long and in as many lines, with comments and literals blanked."""
    token = re.compile(r'R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
                       r'|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return token.sub(lambda m: re.sub(r'[^\n]', ' ', m[0]), text)


def up_to_the_closing_bracket(text, start, ends=''):
    """From `start` to the bracket that closes what is open there, or to one of `ends` outside brackets."""
    depth = 0
    for end in range(start, len(text)):
        if text[end] in '([{':
            depth += 1
        elif text[end] in ')]}':
            depth -= 1
        if depth < 0 or (depth == 0 and text[end] in ends):
            return text[start:end]
    return text[start:]


def co_await_temporaries(tree):
    """A capturing lambda or a braced aggregate among the temporaries of a co_await expression.

    g++ 12 may destroy it twice.
    """
    lambda_with_captures = re.compile(r'(?<![\w)\]\s])\s*\[(?!\[|\s*\])[^\[\]]*\]\s*(?=[({<]|mutable\b|->)')
    braced_argument = re.compile(r'[(,]\s*(?:[\w:]+(?:<[^<>;]*>)?\s*)?\{')
    findings = []
    for path, text in cpp_files(tree):
        code = without_comments_and_strings(text)
        for match in re.finditer(r'\bco_await\b', code):
            expression = up_to_the_closing_bracket(code, match.end(), ends=';')
            for pattern, what in ((lambda_with_captures, 'a capturing lambda'),
                                  (braced_argument, 'a braced argument')):
                if pattern.search(expression):
                    findings.append(f'{path}:{line_of(text, match.start())}: {what} inside a '
                                    'co_await expression; name it first')
    return findings


def co_await_conditions(tree):
    """A co_await between the parentheses of if, while, for or switch, which g++ 12 miscompiles."""
    findings = []
    for path, text in cpp_files(tree):
        code = without_comments_and_strings(text)
        for match in re.finditer(r'\b(if|while|for|switch)\b(?:\s+constexpr)?\s*\(', code):
            if re.search(r'\bco_await\b', up_to_the_closing_bracket(code, match.end())):
                findings.append(f'{path}:{line_of(text, match.start())}: co_await in the head of '
                                f'{match[1]}; name its result first')
    return findings


def own_machine(tree):
    """A path or a host that exists on the author's machine or network alone."""
    patterns = (
        r'(?<![\w./$}>])(/(?:work|root|home|Users|mnt|media|srv)\b)',
        r'\b((?:docker|ghcr|quay|gcr|crates)\.io|(?:pypi|npmjs)\.(?:org|com)|deb\.debian\.org'
        r'|(?:registry|mirrors?|proxy|artifactory|nexus|index)\.[\w-]+\.[a-z]{2,})\b')
    return [finding for path, text in tree.items() if not path.startswith('tests/lint/')
            for pattern in patterns
            for finding in matches(pattern, path, text, '{} is of one machine or network')]


RULES = {rule.__name__: rule for rule in (
    layering, includes, sleeps, leftovers, file_length, line_length, headers, folders, co_await_temporaries,
    co_await_conditions, own_machine)}


def read_tree(top):
    """What the project wrote, by path from the top."""
    tree = {}
    for folder, subfolders, names in os.walk(top):
        if pathlib.Path(folder) == pathlib.Path(top):
            subfolders[:] = [name for name in subfolders
                             if name not in {'.git', '.cache', 'data'}
                             and not name.startswith('build')]
        subfolders[:] = [name for name in subfolders if name != '__pycache__']
        for name in names:
            path = pathlib.Path(folder, name)
            try:
                tree[path.relative_to(top).as_posix()] = path.read_text('utf-8')
            except UnicodeDecodeError:
                continue  # a seed or an image, nothing that these rules are about
    return tree


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in (*RULES, 'all'):
        sys.exit(f'usage: lint.py {{{"|".join(RULES)}|all}} [TOP]')
    rules = RULES if sys.argv[1] == 'all' else [sys.argv[1]]
    top = sys.argv[2] if len(sys.argv) == 3 else pathlib.Path(__file__).parents[2]
    tree = read_tree(top)
    if not any(path.startswith('async/') for path in tree):
        sys.exit(f'{top} is not the top of the project')
    findings = [finding for rule in rules for finding in RULES[rule](tree)]
    print('\n'.join(findings) or f'{sys.argv[1]}: {len(tree)} files, nothing found')
    sys.exit(1 if findings else 0)


if __name__ == '__main__':
    main()
