"""Every .cpp file is named in a CMakeLists.txt of its folder or of one above; none is forgotten.

usage: listed.py ROOT
"""

import pathlib
import re
import sys

import tree


def names_in(cmake_text):
    without_comments = re.sub(r"#[^\n]*", "", cmake_text)
    return set(re.findall(r"[\w./+-]+\.cpp", re.sub(r"\$\{CMAKE_CURRENT_\w+\}/", "", without_comments)))


def is_listed(root, path):
    for folder in path.parents:
        lists = root / folder / "CMakeLists.txt"
        if lists.exists() and path.relative_to(folder).as_posix() in names_in(lists.read_text()):
            return True
    return False


def main(root):
    root = pathlib.Path(root)
    return tree.report([f"{path}: no CMakeLists.txt names it"
                        for path in tree.sources(root, (".cpp",)) if not is_listed(root, path)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
