"""Every C++ file is as clang-format 19 writes it (another version may differ in a detail).

usage: format.py ROOT        to mend: clang-format-19 -i FILE
"""

import shutil
import subprocess
import sys

import tree


def main(root):
    program = shutil.which("clang-format-19")
    if program is None:
        return tree.report(["clang-format-19 is missing; try: deploy/install-packages.sh test"])
    files = [path.as_posix() for path in tree.sources(root)]
    result = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *files], cwd=root,
                            stderr=subprocess.PIPE, text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "error:" in line})
    problems = [f"{path}: is not formatted; try: clang-format-19 -i {path}" for path in wrong]
    if result.returncode != 0 and not problems:
        problems = [result.stderr]
    return tree.report(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
