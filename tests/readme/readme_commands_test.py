#!/usr/bin/python3
"""What is a command in a README, and what is not."""

import unittest

from readme_commands import commands_in


def texts(readme):
    return [command.text for command in commands_in(readme)]


class ReadmeCommands(unittest.TestCase):
    def test_are_the_lines_of_sh_blocks_without_comments(self):
        self.assertEqual(texts('```sh\n# first\na b\n\nc\n```\n'), ['a b', 'c'])

    def test_are_the_prompted_lines_of_console_blocks(self):
        self.assertEqual(texts('```console\n$ a\noutput\n$ b \\\n>   c\noutput\n```\n'),
                         ['a', 'b \\\n  c'])

    def test_are_in_no_other_block(self):
        self.assertEqual(texts('```cpp\nf();\n```\n```\ntext\n```\n    $ indented\n`inline`\n'), [])

    def test_go_on_until_the_shell_would_run_them(self):
        loop = "for i in 1 2; do\n  echo $i\ndone"
        quoted = "echo 'a\nb'"
        here = 'cat <<EOF\na\nEOF'
        self.assertEqual(texts(f'```sh\n{loop}\n{quoted}\n{here}\n```\n'), [loop, quoted, here])

    def test_without_an_end_are_an_error(self):
        with self.assertRaisesRegex(ValueError, 'README.md:2'):
            texts("```sh\necho 'a\n```\n")

    def test_know_their_line_and_exit_code(self):
        first, second = commands_in('Text\n\n```sh\ntrue\nfalse  # exits 1\n```\n')
        self.assertEqual((first.line, first.exit_code), (4, 0))
        self.assertEqual((second.line, second.exit_code), (5, 1))


if __name__ == '__main__':
    unittest.main()
