#!/usr/bin/env python3
"""Each rule finds what it is there for, and lets the good neighbour of it pass."""

import unittest

import lint

OK = None
TEMPORARIES = 'co_await_temporaries'
CONDITIONS = 'co_await_conditions'
MACHINE = 'own_machine'
LEFT_OPEN = 'TO' + 'DO'
SLEEP = 'sleep' + '_for'

# rule, path, text, what the finding says (OK for none)
CASES = [
    ('layering', 'service/handlers/a.cc', '#include "service/sqlite/connection.h"\n', 'may not'),
    ('layering', 'service/handlers/a.cc', '#include "grpcpp/server.h"\n', 'service/handlers may not'),
    ('layering', 'service/handlers/a.cc', '#include "users/v1/a.grpc.pb.h"\n', 'may not'),
    ('layering', 'service/handlers/a.cc', '#include "users/v1/user_service.pb.h"\n', OK),
    ('layering', 'service/handlers/a.cc', '#include "service/store/user_store.h"\n', OK),
    ('layering', 'service/store/a.h', '#include <grpcpp/support/status.h>\n', 'service/store may not'),
    ('layering', 'service/store/a.cc', '#include "service/handlers/handlers.h"\n', 'may not'),
    ('layering', 'service/store/a.cc', '#include <sqlite3.h>\n', 'service/store may not'),
    ('layering', 'service/store/a.cc', '#include "service/sqlite/connection.h"\n', OK),
    ('layering', 'service/sqlite/a.cc', '#include "async/task.h"\n', 'service/sqlite may not'),
    ('layering', 'service/sqlite/a.cc', '#include "service/store/user_store.h"\n', 'may not'),
    ('layering', 'service/sqlite/a.cc', '#include <sqlite3.h>\n', OK),
    ('layering', 'service/sqlite/a.h', '#include <sqlite3.h>\n', 'no header'),
    ('layering', 'service/errors/a.cc', '#include "grpcpp/support/status.h"\n', 'may not'),
    ('layering', 'service/rpc/a.cc', '#include "service/store/user_store.h"\n', 'may not'),
    ('layering', 'service/app.cc', '#include "service/sqlite/connection.h"\n', 'service may not'),
    ('layering', 'service/app.cc', '#include "client/user_client.h"\n', 'service may not'),
    ('layering', 'async/task.h', '#include "service/errors/errors.h"\n', 'async may not'),
    ('layering', 'async/task.h', '#include "client/call.h"\n', 'async may not'),
    ('layering', 'client/call.cc', '#include "service/errors/errors.h"\n', 'client may not'),
    ('layering', 'client/cli/list.cc', '#include "client/user_client.h"\n', OK),
    ('layering', 'client/call.cc', '#include "tests/support/server.h"\n', 'client may not'),
    ('layering', 'tests/store/a_test.cc', '#include <sqlite3.h>\n', OK),
    ('includes', 'service/store/a.cc', '#include <iostream>\n', 'iostream'),
    ('includes', 'client/cli/a.cc', '#include <iostream>\n', OK),
    ('includes', 'service/rpc/a.cc', '#include "absl/synchronization/mutex.h"\n', 'async/mutex.h'),
    ('sleeps', 'tests/async/a_test.cc', f'std::this_thread::{SLEEP}(1s);\n', 'sleep_for'),
    ('sleeps', 'tests/interop/a.py', 'time' + '.sleep(1)\n', 'time.sleep'),
    ('sleeps', 'tests/async/a_test.cc', 'co_await loop.Sleep(delay);\n', OK),
    ('leftovers', 'async/a.h', f'// {LEFT_OPEN}: more\n', LEFT_OPEN),
    ('leftovers', 'tests/a_test.cc', 'TEST(A, DIS' + 'ABLED_B) {}\n', 'left behind'),
    ('leftovers', 'tests/a_test.cc', 'mkdtemp("/tmp/a.XXXXXX")\n', OK),
    ('file_length', 'async/a.cc', '\n' * 501, '501 lines'),
    ('file_length', 'async/a.cc', '\n' * 500, OK),
    ('line_length', 'async/a.cc', '// ' + 'a' * 98, '101 columns'),
    ('line_length', 'async/a.cc', '// ' + 'ä' * 97, OK),
    ('headers', 'async/a.h', '#pragma once\n', 'what it is for'),
    ('headers', 'async/a.h', '// A: an a.\n', 'pragma once'),
    ('headers', 'async/a.h', '// A: an a.\n#pragma once\n', OK),
    ('folders', 'util/a.cc', '', 'top-level'),
    ('folders', 'service/util/a.cc', '', 'folders of service'),
    ('folders', 'async/CamelCase.cc', '', 'snake_case'),
    ('folders', 'service/store/user_store.cc', '', OK),
    (TEMPORARIES, 'a.cc', 'co_await f([x] { return x; });', 'lambda'),
    (TEMPORARIES, 'a.cc', 'co_await f(\n    [x = std::move(y)]() mutable { x(); });', 'lambda'),
    (TEMPORARIES, 'a.cc', 'if (co_await f([&] { return x; })) {}', 'lambda'),
    (TEMPORARIES, 'a.cc', 'co_await f([] { return 1; });', OK),
    (TEMPORARIES, 'a.cc', 'co_await f(std::move(tasks[i])); auto g = [x] { return x; };', OK),
    (TEMPORARIES, 'a.cc', 'co_await RunInto(std::move(tasks[*index]), slots[0] (1), scope);', OK),
    (TEMPORARIES, 'a.cc', 'co_await f({.a = "b"});', 'braced'),
    (TEMPORARIES, 'a.cc', 'co_await f({});', 'braced'),
    (TEMPORARIES, 'a.cc', 'co_await f(1, Options{name});', 'braced'),
    (TEMPORARIES, 'a.cc', 'co_await f(1, std::vector<int>{1, 2});', 'braced'),
    (TEMPORARIES, 'a.cc', 'while (co_await f(options)) { g({}); }', OK),
    (CONDITIONS, 'a.cc', 'if (co_await f()) g();', 'head of if'),
    (CONDITIONS, 'a.cc', 'if constexpr (x) { if (auto a = co_await f(); a) g(); }', 'head of if'),
    (CONDITIONS, 'a.cc', 'while (n > 0 &&\n       co_await f(n)) {}', 'head of while'),
    (CONDITIONS, 'a.cc', 'do {} while (!co_await f());', 'head of while'),
    (CONDITIONS, 'a.cc', 'switch ((co_await f()).code()) {}', 'head of switch'),
    (CONDITIONS, 'a.cc', 'for (int i = 0; i < co_await f(); ++i) {}', 'head of for'),
    (CONDITIONS, 'a.cc', 'for (const User& user : (co_await f()).users()) {}', 'head of for'),
    (CONDITIONS, 'a.cc', 'const bool ok = co_await f();\nif (ok) co_await g();', OK),
    (CONDITIONS, 'a.cc', 'if (g(")")) { co_await f(); } // if (co_await f())', OK),
    (MACHINE, 'README.md', 'cd /ho' + 'me/ann/userservice', 'one machine'),
    (MACHINE, 'run', 'source=/wo' + 'rk/main', 'one machine'),
    (MACHINE, '.ci/run', 'pip install -i https://pypi' + '.org/simple', 'one machine'),
    (MACHINE, 'a.cmake', 'URL https://registry' + '.example.com/a', 'one machine'),
    (MACHINE, 'README.md', '/usr/bin/python3 /tmp/a ./work/a $top/root users/home', OK),
    (MACHINE, 'a.h', '// https://www.sqlite.org/fileformat.html', OK),
    (TEMPORARIES, 'a.cc', '// co_await f({});\nconst char* s = "co_await f({})";', OK),
]


class Rules(unittest.TestCase):
    def test_find_what_is_planted_and_nothing_else(self):
        for rule, path, text, expected in CASES:
            with self.subTest(rule=rule, path=path, text=text[:60]):
                findings = lint.RULES[rule]({path: text})
                if expected is OK:
                    self.assertEqual(findings, [])
                else:
                    self.assertEqual(len(findings), 1, findings)
                    self.assertIn(expected, findings[0])

    def test_each_has_bad_input_planted(self):
        planted = {rule for rule, _, _, expected in CASES if expected is not OK}
        self.assertEqual(planted, set(lint.RULES))

    def test_name_the_line(self):
        tree = {'async/a.cc': '#include <vector>\n\n#include "client/call.h"\n'}
        self.assertTrue(lint.layering(tree)[0].startswith('async/a.cc:3:'))


if __name__ == '__main__':
    unittest.main()
