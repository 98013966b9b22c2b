// The SQL that PostgreSQL itself ships: cut where the server cuts it, and no rule of lint stumbles
// over it.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <doctest/doctest.h>

#include "planner/effects.h"
#include "planner/lint.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

namespace fs = std::filesystem;

struct Shipped {
  std::string name, text;
};

// Without psql's own lines, as CREATE EXTENSION takes them; places stay where they were.
std::string without_psql(fs::path const& path) {
  std::ifstream in(path);
  std::ostringstream text;
  for (std::string line; std::getline(in, line);) {
    text << (line.starts_with("\\") ? "" : line) << "\n";
  }
  return text.str();
}

std::vector<Shipped> shipped_by(Target const& target) {
  auto const share = fs::path(target.sql("SELECT setting FROM pg_config WHERE name = 'SHAREDIR'"));
  std::vector<Shipped> all;
  for (auto const& folder : {share, share / "extension"}) {
    for (auto const& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".sql") {
        all.push_back({entry.path().filename().string(), without_psql(entry.path())});
      }
    }
  }
  std::ranges::sort(all, {}, &Shipped::name);
  return all;
}

enum class Read { one, many, refused };
Read read_by(daemon::Session& session, std::string const& sql) {
  auto const read = session.parse(sql);
  if (read || read.error().sqlstate != "42601") {
    return Read::one;  // what it means is another question
  }
  return read.error().message.find("multiple commands") == std::string::npos ? Read::refused
                                                                             : Read::many;
}

// What the parser here does not read may be known to a newer server only.
bool may_be_newer(daemon::Session const& session, planner::Findings const& findings) {
  constexpr int parsed_here = 160'000;
  return session.server_version() >= parsed_here && !findings.empty() &&
         std::ranges::all_of(
             findings, [](auto const& finding) { return finding.rule == "sql/not-analysed"; });
}

void compare(daemon::Session& session, Shipped const& file, planner::Explanation const& told) {
  bool const newer = may_be_newer(session, told.findings);
  for (auto const& one : told.statements) {
    if (newer && !one.effects.analysed) {
      continue;
    }
    CAPTURE(file.name);
    CAPTURE(one.statement.sql.text);
    CHECK((read_by(session, one.statement.sql.text) == Read::one) == one.effects.analysed);
  }
}

}  // namespace

TEST_CASE(
    "shipped SQL is cut where the server cuts it, as a whole and around what does not parse") {
  Target const target;
  auto const session = target.connect();
  int files = 0;
  std::size_t statements = 0, newer = 0;
  for (auto const& file : shipped_by(target)) {
    auto const told = planner::explain({.text = file.text}, {}, 18);
    CAPTURE(file.name);
    auto const whole = read_by(*session, file.text);
    if (may_be_newer(*session, told.findings)) {
      newer += told.findings.size();
    } else {
      CHECK((whole != Read::refused) == told.findings.empty());
    }
    CHECK((whole == Read::many) == (whole != Read::refused && told.statements.size() > 1));
    compare(*session, file, told);
    // a piece that nobody can read must not move the others
    auto const broken =
        planner::explain({.text = file.text + ";\nSELECT FROM WHERE )\n"}, {}, 18).statements;
    REQUIRE(broken.size() == told.statements.size() + 1);
    for (std::size_t i = 0; i < told.statements.size(); ++i) {
      auto const& cut = broken[i].statement.sql.text;
      auto const& text = told.statements[i].statement.sql.text;
      CHECK(text.starts_with(cut));
      auto const rest = text.find_first_not_of(" \n", cut.size());  // a comment behind it, at most
      CHECK((rest == std::string::npos || text.compare(rest, 2, "--") == 0));
    }
    ++files;
    statements += told.statements.size();
  }
  MESSAGE(statements << " statements of " << files << " files");
  CHECK(files >= 20);
  CHECK(statements >= 1500);
  CHECK(newer * 100 <= statements);
}

TEST_CASE("rules alarm nobody about shipped SQL, except where the server refuses it as well") {
  Target const target;
  auto const session = target.connect();
  for (auto const& file : shipped_by(target)) {
    auto const linted = planner::lint_sql({.text = file.text, .place = {file.name, 1, 1}},
                                          {.server_major = session->server_version() / 10'000,
                                           .timeouts_given = true,
                                           .optional = {"all"}});
    bool const refused = read_by(*session, file.text) == Read::refused;
    for (auto const& finding : linted.findings) {
      bool const alarm = finding.severity == planner::Severity::error;
      CHECK_MESSAGE((!alarm || (refused && finding.rule == "sql/syntax")), to_text(finding));
    }
  }
}
