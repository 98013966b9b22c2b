"""Who may include whom, and which files may touch which library (ARCHITECTURE.md draws the same).

usage: floors.py ROOT
"""

import fnmatch
import re
import sys

import tree

# A folder's files may include these folders. planner/ is the ground floor.
FLOORS = {
    "planner": {"planner"},
    "config": {"config", "planner"},
    "store": {"store", "planner"},
    "web": {"web", "planner"},
    "daemon": {"daemon", "web", "store", "config", "planner"},
    "deploy": {"deploy"},
}

# One door per dependency: what an include begins with -> the files that may have it.
DOORS = {
    "pqxx/": ["daemon/target/pq_session.cpp", "daemon/target/pq_failure.cpp"],
    "libpq-fe.h": ["daemon/target/dsn.cpp", "daemon/target/pq_session.cpp", "deploy/demo/*"],
    "sqlite3.h": ["store/sqlite.cpp"],
    "boost/beast": ["web/connection.cpp", "web/wire.cpp", "web/asio_impl.cpp", "web/ctl/*"],
    "boost/asio": [
        "web/listener.*", "web/connection.*", "web/channel.*", "web/tls.*", "web/event_stream.*", "web/deadline.*", "web/server.*",
        "web/wire.cpp", "web/asio_impl.cpp", "web/ctl/*",
        "daemon/worker.*", "daemon/clock.*", "daemon/signals.*", "daemon/application.*",
        "daemon/registry.*", "daemon/conductor.*", "daemon/step_runner.*", "daemon/recorder.*",
        "daemon/backup_task.*", "daemon/lookout.*",
    ],
    "yaml-cpp/": ["planner/document.cpp", "config/*.cpp"],
    "cmark-gfm": ["planner/markdown.cpp"],
    "pg_query.h": ["planner/pg_scan.cpp", "planner/pg_tree.cpp"],
    "spdlog/": ["daemon/logging.*"],
    "prometheus/": ["daemon/metric*"],
    "systemd/": ["daemon/supervisor.cpp"],
    "openssl/": ["planner/digest.cpp", "web/tls.cpp", "web/ctl/tls.cpp"],
    "CLI/": ["daemon/options.cpp", "web/ctl/*"],
    "nlohmann/json_fwd.hpp": ["*"],
    "nlohmann/": [
        "planner/event_json*.cpp", "planner/catalog_json.cpp", "planner/ways_back_json.cpp", "planner/pg_newer.cpp", "planner/view*.cpp", "planner/plan_canonical.cpp",
        "planner/sql*.cpp", "planner/import*", "planner/render.cpp", "planner/plan_diff.cpp", "planner/inverse_rights.cpp", "planner/yaml_text.*", "web/body*", "web/problem.cpp", "web/openapi*", "web/api_health.cpp", "web/api_access.cpp",
        "web/redaction.cpp", "web/ctl/*.cpp",
        "daemon/documents.cpp", "daemon/access_documents.cpp", "daemon/logging.cpp",
    ],
}

# The world outside gets in at these places only. web/ctl is a program of its own.
WORLD = {
    "system_clock::now": ["daemon/clock.cpp", "web/ctl/*", "deploy/demo/*"],
    "getenv": ["daemon/options.cpp", "web/ctl/*", "config/*.cpp",
               # absent from ordinary builds
               "store/crash_point.cpp", "planner/mutant.cpp"],
    "random_device": ["daemon/chance.cpp", "web/ctl/*"],
}

# A file of the pure core must not reach for these standard headers.
IMPURE = ("thread", "mutex", "condition_variable", "atomic", "fstream", "filesystem",
          "iostream", "random", "future", "unistd.h", "ctime")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def may(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def door_of(header):
    """The longest beginning wins, so that json_fwd.hpp may have a rule of its own."""
    fitting = [door for door in DOORS if header.startswith(door)]
    return max(fitting, key=len, default=None)


def include_problem(path, quote, header):
    folder = path.split("/")[0]
    if quote == '"':
        if header.split("/")[0] not in FLOORS[folder]:
            return f'{folder}/ may not include "{header}" (allowed: {", ".join(sorted(FLOORS[folder]))})'
        return None
    if folder == "planner" and header in IMPURE:
        return f"planner/ is pure and may not include <{header}>"
    door = door_of(header)
    if door and not may(path, DOORS[door]):
        return f"<{header}> is only for {', '.join(DOORS[door])}"
    return None


def problems_in(path, text):
    """path: relative, with slashes; text: the file."""
    found = []
    for match in INCLUDE.finditer(text):
        problem = include_problem(path, match.group(1), match.group(2))
        if problem:
            found.append(f"{path}:{tree.line_of(text, match.start())}: {problem}")
    code = tree.bare_code(text)
    for word, patterns in WORLD.items():
        for match in re.finditer(rf"\b{re.escape(word)}\b", code):
            if not may(path, patterns):
                line = tree.line_of(code, match.start())
                found.append(f"{path}:{line}: {word} is only for {', '.join(patterns)}")
    return found


def main(root):
    found = []
    for path in tree.sources(root):
        if path.parts[0] in FLOORS:
            with open(f"{root}/{path}", encoding="utf-8") as file:
                found += problems_in(path.as_posix(), file.read())
    return tree.report(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
