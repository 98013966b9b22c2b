"""The lints see what they are for, and leave good code alone."""

import pathlib
import sys
import tempfile
import unittest

import coawait
import floors
import listed
import tree


class Floors(unittest.TestCase):
    def test_the_planner_includes_nothing_above_it(self):
        self.assertTrue(floors.problems_in("planner/plan.cpp", '#include "store/journal.h"\n'))

    def test_the_planner_includes_itself(self):
        self.assertFalse(floors.problems_in("planner/plan.cpp", '#include "planner/plan.h"\n'))

    def test_neighbours_do_not_know_each_other(self):
        self.assertTrue(floors.problems_in("web/router.cpp", '#include "store/journal.h"\n'))
        self.assertTrue(floors.problems_in("store/journal.cpp", '#include "daemon/clock.h"\n'))

    def test_the_daemon_joins_all(self):
        text = '#include "web/service.h"\n#include "store/store.h"\n#include "config/settings.h"\n'
        self.assertFalse(floors.problems_in("daemon/registry.h", text))

    def test_the_planner_has_no_threads(self):
        self.assertTrue(floors.problems_in("planner/plan.cpp", "#include <thread>\n"))

    def test_a_library_is_used_behind_its_door_only(self):
        for path, header in (("daemon/conductor.cpp", "pqxx/pqxx"), ("store/journal.cpp", "sqlite3.h"),
                             ("web/router.cpp", "boost/asio.hpp"), ("planner/plan.cpp", "yaml-cpp/yaml.h"),
                             ("planner/view.h", "nlohmann/json.hpp"), ("store/store.cpp", "openssl/evp.h")):
            self.assertTrue(floors.problems_in(path, f"#include <{header}>\n"), (path, header))

    def test_the_door_itself_is_open(self):
        for path, header in (("daemon/target/pq_session.cpp", "pqxx/pqxx"), ("store/sqlite.cpp", "sqlite3.h"),
                             ("web/listener.h", "boost/asio.hpp"), ("planner/view.cpp", "nlohmann/json.hpp"),
                             ("planner/view.h", "nlohmann/json_fwd.hpp")):
            self.assertFalse(floors.problems_in(path, f"#include <{header}>\n"), (path, header))

    def test_the_time_is_asked_at_one_place(self):
        text = "auto now = std::chrono::system_clock::now();\n"
        self.assertTrue(floors.problems_in("daemon/conductor.cpp", text))
        self.assertFalse(floors.problems_in("daemon/clock.cpp", text))

    def test_a_comment_asks_nobody(self):
        self.assertFalse(floors.problems_in("daemon/conductor.cpp", "// not getenv here\n"))

    def test_the_line_is_named(self):
        problem, = floors.problems_in("store/a.cpp", '#include <string>\n\n#include "web/http.h"\n')
        self.assertTrue(problem.startswith("store/a.cpp:3:"), problem)


class CoAwait(unittest.TestCase):
    def refused(self, text):
        self.assertTrue(coawait.problems_in("web/a.cpp", text), text)

    def accepted(self, text):
        self.assertFalse(coawait.problems_in("web/a.cpp", text), text)

    def test_a_lambda_is_refused(self):
        self.refused("co_await post([name] { use(name); });")
        self.refused("auto x = co_await run(a, [=]() { return b; });")

    def test_a_braced_list_is_refused(self):
        self.refused("co_await send(to_wire({.id = id, .data = body}));")
        self.refused("co_await send(id, {body});")
        self.refused("co_await send(Message{.id = id});")
        self.refused("co_await send(Message{id, body});")

    def test_a_conditional_is_refused(self):
        self.refused("co_await send(ok ? one(a) : two(b));")
        self.refused("auto x = ok ? co_await one() : two();")

    def test_a_statement_over_several_lines_is_seen_whole(self):
        self.refused("co_await\n    send(first,\n         {second});")

    def test_names_and_calls_are_fine(self):
        self.accepted("co_await send(std::move(bytes));")
        self.accepted("co_await timer.async_wait(asio::use_awaitable);")
        self.accepted("auto [error, size] = co_await read(buffers[0], as_tuple(use_awaitable));")

    def test_the_block_after_a_condition_is_another_statement(self):
        self.accepted("if (co_await ready(x)) {\n  auto y = z ? a : b;\n}")
        self.accepted("while (auto request = co_await next()) {\n  use({.a = 1});\n}")

    def test_strings_and_comments_do_not_count(self):
        self.accepted('co_await log("why? {because}");  // [really?] {yes}')


class BareCode(unittest.TestCase):
    def test_lines_stay_where_they_were(self):
        text = 'a\n/* b\n c */ auto d = R"x(\n"e)x"; // f\n1\'000;'
        self.assertEqual(tree.bare_code(text).count("\n"), text.count("\n"))
        self.assertIn("1_000", tree.bare_code(text))
        self.assertNotIn("e", tree.bare_code(text).replace("d =", ""))


class Listed(unittest.TestCase):
    def test_a_file_that_no_list_names_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "web/ctl").mkdir(parents=True)
            (root / "web/CMakeLists.txt").write_text("add_library(a a.cpp\n ctl/b.cpp) # c.cpp\n")
            for name in ("a.cpp", "ctl/b.cpp", "c.cpp"):
                (root / "web" / name).write_text("")
            missing = [path.as_posix() for path in tree.sources(root, (".cpp",))
                       if not listed.is_listed(root, path)]
            self.assertEqual(missing, ["web/c.cpp"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
