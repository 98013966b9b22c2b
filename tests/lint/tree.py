"""Our own C++ files, and C++ text without its comments and literals. Used by the lints beside it."""

import pathlib
import re

FOLDERS = ("planner", "config", "store", "web", "daemon", "deploy", "tests")


def sources(root, suffixes=(".h", ".cpp")):
    """Paths relative to the root, sorted."""
    found = []
    for folder in FOLDERS:
        for path in (pathlib.Path(root) / folder).rglob("*"):
            if path.suffix in suffixes and "node_modules" not in path.parts:
                found.append(path.relative_to(root))
    return sorted(found)


_COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""",
    re.DOTALL)
_DIGIT_SEPARATOR = re.compile(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])")


def bare_code(text):
    """Blanks comments and literals but keeps every line where it was."""
    text = _DIGIT_SEPARATOR.sub("_", text)
    return _COMMENT_OR_LITERAL.sub(_blank, text)


def _blank(match):
    text = match.group()
    lines = "\n" * text.count("\n")
    return lines if text.startswith(("//", "/*")) else '""' + lines


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def report(problems):
    """Prints the problems; the exit status."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s)" if problems else "ok")
    return 1 if problems else 0
