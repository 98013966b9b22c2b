"""Proves that the tests bite: each seeded bug of planner/mutant.h, against the tests named beside it.

usage: mutants.py ROOT BIN [--all | --count N | NAME ...]

Without names, N of the quick ones (5) are taken, others every day. A mutant is caught if the command passes without it
and fails with it. Exit 0: all were caught.
"""

import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

ENTRY = re.compile(r'MUTANT\(\s*(\w+),\s*((?:"[^"]*"\s*)+),\s*((?:"[^"]*"\s*)+)\)')
LIMIT = 600
SLOW = ("e2e", "chaos", "faults")  # their entries are for --all
SKIPPED = 77


def planted_in(root):
    """The names that the code asks for: a seed whose code is gone proves nothing."""
    found = set()
    for floor in ("daemon", "planner", "store", "web"):
        for path in pathlib.Path(root, floor).rglob("*.cpp"):
            found.update(re.findall(r"Mutant::(\w+)", path.read_text(encoding="utf-8")))
    return found


def words(strings):
    return "".join(re.findall(r'"([^"]*)"', strings))


def mutants_in(header):
    lines = header.replace("\\\n", "\n")
    return {name: (words(meaning), words(notices)) for name, meaning, notices in ENTRY.findall(lines)}


def command_of(binaries, notices):
    """"SUITE [SOURCE_FILE]", "chaos SCENARIO" or "faults FAULT"."""
    suite, _, part = notices.partition(" ")
    if suite == "chaos":
        return [f"{binaries}/runbookd_chaos", "--matrix", "--visits", "1", "--jobs", "3", "--first", "--only", part]
    if suite == "faults":
        return [f"{binaries}/runbookd_chaos", "--faults", "8", "--seed", "1", "--first", "--only", part]
    command = [f"{binaries}/runbookd_{suite}_tests", "--abort-after=1"]
    return command + [f"--source-file=*{part}.cpp"] if part else command


def run(command, mutant=None):
    environment = {key: value for key, value in os.environ.items() if key != "RUNBOOKD_MUTANT"}
    if mutant:
        environment["RUNBOOKD_MUTANT"] = mutant
    try:
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return None  # a hang is noticed as well


def ran_something(result):
    """doctest passes where its filter finds nothing; the chaos driver tells what it did."""
    text = result.stdout.decode(errors="replace")
    found = re.search(r"test cases:\s*(\d+)", text)
    return bool(found and int(found.group(1)) > 0) or "all promises kept" in text


class Baselines:
    """Each command without a mutant, once: it must pass, or a failure with one proves nothing."""

    def __init__(self):
        self.known = {}

    def passes(self, command):
        key = tuple(command)
        if key not in self.known:
            result = run(command)
            if result is not None and result.returncode == SKIPPED:
                print(f"SKIPPED: {command[0]} has no server", flush=True)
                sys.exit(SKIPPED)
            self.known[key] = result is not None and result.returncode == 0 and ran_something(result)
        return self.known[key]


def judge(baselines, binaries, name, notices):
    command = command_of(binaries, notices)
    if not baselines.passes(command):
        return f"NO BASELINE: fails, or runs nothing, without the mutant: {' '.join(command)}"
    begin = time.monotonic()
    result = run(command, name)
    if result is not None and result.returncode == 0:
        return f"MISSED by {' '.join(command)}"
    return f"caught by {notices} in {time.monotonic() - begin:.1f} s"


def chosen(names, arguments):
    if "--all" in arguments:
        return names
    if arguments and arguments[0] == "--count":
        count = min(int(arguments[1]), len(names))
        first = datetime.date.today().toordinal() * count % len(names)
        return [names[(first + i) % len(names)] for i in range(count)]
    return arguments or chosen(names, ["--count", "5"])


def main(root, binaries, arguments):
    with open(f"{root}/planner/mutant.h", encoding="utf-8") as file:
        mutants = mutants_in(file.read())
    if len(mutants) < 20:
        print(f"only {len(mutants)} mutants were read: has the form of planner/mutant.h changed?")
        return 1
    if lost := sorted(set(mutants) - planted_in(root)):
        print(f"no code asks for {', '.join(lost)}: plant the bug again, or take it off planner/mutant.h")
        return 1
    baselines = Baselines()
    caught = 0
    quick = [name for name, (_, notices) in mutants.items() if not notices.startswith(SLOW)]
    names = chosen(list(mutants) if "--all" in arguments else quick, arguments)
    for name in names:
        meaning, notices = mutants[name]
        verdict = judge(baselines, binaries, name, notices)
        caught += verdict.startswith("caught")
        print(f"{name} ({meaning}): {verdict}", flush=True)
    print(f"{caught} of {len(names)} mutants caught; {len(mutants)} are known")
    return 0 if caught == len(names) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
