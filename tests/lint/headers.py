"""Every header compiles on its own: it includes what it uses.

Of one that a source includes before anything else, the build has shown it already.

usage: headers.py ROOT COMPILER
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

import tree

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers",
         "-DBOOST_ASIO_SEPARATE_COMPILATION", "-DBOOST_BEAST_SEPARATE_COMPILATION",
         '-DRUNBOOKD_VERSION="0"', '-DRUNBOOKD_SOURCE_DIR="."',
         "-I.", "-I/usr/include/postgresql", "-x", "c++", "-"]


def problem_with(root, compiler, path):
    # Twice, so that a missing include guard shows as well.
    text = f'#include "{path}"\n' * 2
    result = subprocess.run([compiler, *FLAGS], cwd=root, input=text, text=True,
                            stderr=subprocess.PIPE, check=False)
    return f"{path}: does not compile alone\n{result.stderr}" if result.returncode else None


FIRST_INCLUDE = re.compile(r'^#include\s+(?:"([^"]+)"|<)', re.MULTILINE)


def text_of(root, path):
    return (pathlib.Path(root) / path).read_text()


def included_first(root):
    firsts = (FIRST_INCLUDE.search(text_of(root, path)) for path in tree.sources(root, (".cpp",)))
    return {first[1] for first in firsts if first and first[1]}


def unguarded(root, path):
    return not re.search(r"^#pragma once$", text_of(root, path), re.MULTILINE)


def main(root, compiler):
    shown = included_first(root)
    paths = [path.as_posix() for path in tree.sources(root, (".h",))]
    paths = [path for path in paths if path not in shown or unguarded(root, path)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        problems = pool.map(lambda path: problem_with(root, compiler, path), paths)
        return tree.report([problem for problem in problems if problem])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
