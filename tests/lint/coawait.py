"""Refuses what g++ 12 destroys twice: a lambda, a braced list or ?: inside a statement with co_await.

The compiler of Debian 12 frees the temporaries of such a statement twice. Give the value a name on the line
above; then the statement holds only names and calls. A few harmless forms are refused as well, on purpose:
telling them apart is harder than naming a value.

usage: coawait.py ROOT
"""

import re
import sys

import tree


def expression_from(code, start):
    """From co_await to the end of its statement, or to the block that an if or while opens after it."""
    depth = 0
    for place in range(start, len(code)):
        character = code[place]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == ";":
            return code[start:place]
        elif character == "{" and depth < 0 and code[start:place].rstrip().endswith(")"):
            return code[start:place]
    return code[start:]


def words_before(code, start):
    """What stands in the same statement before the co_await."""
    begin = max(code.rfind(mark, 0, start) for mark in ";{}")
    return code[begin + 1:start]


LAMBDA = re.compile(r"(?:^|[^\w\s)\]])\s*\[")
BRACES = re.compile(r"[(,]\s*\{|[\w>]\s*\{\s*[^}\s]")


def hazard_in(before, expression):
    if "?" in before + expression:
        return "a ?: in a co_await statement"
    if LAMBDA.search(expression):
        return "a lambda in a co_await statement"
    if BRACES.search(expression):
        return "a braced list in a co_await statement"
    return None


def problems_in(path, text):
    code = tree.bare_code(text)
    found = []
    for match in re.finditer(r"\bco_await\b", code):
        hazard = hazard_in(words_before(code, match.start()), expression_from(code, match.start()))
        if hazard:
            line = tree.line_of(code, match.start())
            found.append(f"{path}:{line}: {hazard}; name the value on the line above")
    return found


def main(root):
    found = []
    for path in tree.sources(root):
        with open(f"{root}/{path}", encoding="utf-8") as file:
            found += problems_in(path.as_posix(), file.read())
    return tree.report(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
