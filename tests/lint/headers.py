"""Every header compiles on its own: it includes what it uses.

usage: headers.py ROOT COMPILER
"""

import concurrent.futures
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


def main(root, compiler):
    paths = [path.as_posix() for path in tree.sources(root, (".h",))]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        problems = pool.map(lambda path: problem_with(root, compiler, path), paths)
        return tree.report([problem for problem in problems if problem])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
