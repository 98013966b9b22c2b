// Checks and baselines: the queries of a document with what their comments promise.
#include <algorithm>
#include <optional>

#include "planner/import_parts.h"
#include "planner/sql.h"
#include "planner/sql_undo.h"
#include "planner/variables.h"

namespace runbookd::planner::import {
namespace {

std::string joined(std::vector<Comment> const& comments) {
  std::string text;
  for (auto const& comment : comments) {
    text += (text.empty() ? "" : " ") + comment.text;
  }
  return text;
}

// The columns that a query gives, as far as its text tells.
std::string alias_of(SqlText const& sql) {
  auto const columns = result_columns(sql);
  return columns.size() == 1 ? columns.front() : "";
}

struct Said {
  Expected expected;
  std::string words;  // the comment that said it
};

// The words behind the query first; those above it where they promise something.
Said said_of(Passage const& passage, std::vector<std::string> const& baselines) {
  auto const alias = alias_of(passage.sql);
  for (auto const* comments : {&passage.after, &passage.before}) {
    for (auto const& comment : *comments) {
      auto expected = expectation_in(comment.text, baselines, alias);
      if (!expected.expect.is_null() || expected.several) {
        return {.expected = std::move(expected), .words = comment.text};
      }
    }
  }
  return {};
}

// Only that column of the result was spoken of.
std::string narrowed(SqlText const& sql, std::string const& column) {
  auto const columns = result_columns(sql);
  auto const found = std::ranges::find(columns, lower(column));
  if (columns.size() < 2 || found == columns.end()) {
    return sql.text;
  }
  return "SELECT " + *found + " FROM (\n" + sql.text + "\n) AS q";
}

bool counts(std::string const& sql) {
  return lower(sql.substr(0, 400)).find("count(") != std::string::npos;
}

// Nobody said what the query gives; what its description asks for is the best guess, if any.
std::optional<Draft> guessed(Passage const& passage) {
  auto const words = lower(joined(passage.before) + " " + alias_of(passage.sql));
  if (!counts(passage.sql.text)) {
    bool const absent =
        mentions(words, "no longer", "is gone", "does not exist", "not exist", "no ");
    return Draft{{"empty", absent}};
  }
  bool const none = mentions(words, "no ", "none", "without", "missing", "orphan", "mismatch",
                             "remaining", "unbackfilled", "invalid", "duplicate", "anomal");
  return none ? std::optional{Draft{{"value", "0"}}} : std::nullopt;
}

// "Confirm column exists" is called after what it confirms.
std::string check_name(Words const& words, std::string const& alias, std::string const& said) {
  auto name = words.name.empty() ? slug(alias) : words.name;
  for (std::string_view verb : {"confirm-", "check-", "verify-", "test-", "ensure-", "that-"}) {
    if (name.starts_with(verb) && name.size() > verb.size()) {
      name.erase(0, verb.size());
    }
  }
  name = name.empty() ? slug(said) : name;
  return name.empty() ? "check" : name;
}

struct CheckMaker {
  Report& report;
  Names& names;
  std::vector<std::string> const& baselines;

  // Nothing where nobody could say whether the check has passed.
  std::optional<Draft> check(Passage const& passage) {
    auto const said = said_of(passage, baselines);
    auto const words = words_above(passage.before);
    auto const alias = alias_of(passage.sql);
    auto const expect = expectation(passage, said);
    if (!expect) {
      return std::nullopt;
    }
    Draft made = Draft::object();
    made["name"] = names.free(check_name(words, alias, said.words));
    if (!words.description.empty()) {
      made["description"] = escape(words.description);
    }
    made["sql"] =
        escape(said.expected.column.empty() ? passage.sql.text
                                            : narrowed(passage.sql, said.expected.column));
    made["#expect"] = said.words.empty() ? "Guessed: the document does not say what this gives."
                                         : "The document: " + said.words;
    made["expect"] = *expect;
    judge(passage, expect->contains("error"));
    return made;
  }

  std::optional<Draft> expectation(Passage const& passage, Said const& said) {
    auto const& place = passage.sql.place;
    if (said.expected.hedged) {
      report.say(Severity::warning, place, "import/hedged-expectation",
                 "\"" + said.words +
                     "\" leaves open whether the check passes, and a gate has to know; the query "
                     "was left out",
                 "say which value is right");
      return std::nullopt;
    }
    if (said.expected.several) {
      report.say(Severity::warning, place, "import/no-expectation",
                 "\"" + said.words +
                     "\" names more than one value, and a check compares one; the query was left "
                     "out",
                 "write one query for each: >= 5 behind the one, < 10 behind the other");
      return std::nullopt;
    }
    if (!said.expected.expect.is_null()) {
      return said.expected.expect;
    }
    auto guess = guessed(passage);
    report.say(Severity::warning, place, "import/no-expectation",
               "nothing says what this query has to give; " +
                   (guess ? yaml_line(*guess) + " was guessed" : "it was left out"),
               "write it behind the query: -- Expected: 0");
    return guess;
  }

  void judge(Passage const& passage, bool probe) {
    if (!probe && passage.taken_back) {
      report.say(
          Severity::warning, passage.sql.place, "import/no-expectation",
          "a statement that is rolled back tries that something is refused, and nothing says "
          "which error it has to give",
          "write it behind the statement: -- Expected: ERROR: not_null_violation");
    }
    report.add(check_query_findings(passage.sql, probe));
  }
};

// "(MIN(created_at), MAX(created_at))" is one value; a baseline is compared as a whole.
std::string as_one_value(SqlText const& sql) {
  auto const columns = result_columns(sql);
  if (columns.size() < 2) {
    return sql.text;
  }
  return "SELECT q::text FROM (\n" + sql.text + "\n) AS q";
}

}  // namespace

std::vector<Draft> checks_in(Report& report, Code const& code, Names& names,
                             std::vector<std::string> const& baselines) {
  auto script = read_script(code.sql);
  report.add(std::move(script.findings));
  CheckMaker maker{report, names, baselines};
  std::vector<Draft> made;
  for (auto const& passage : script.passages) {
    auto check = passage.sql.text.empty() ? std::nullopt : maker.check(passage);
    if (check) {
      made.push_back(std::move(*check));
    }
  }
  return made;
}

void put_baselines(Report& report, Code const& code, Draft& baselines) {
  auto script = read_script(code.sql);
  report.add(std::move(script.findings));
  for (auto const& passage : script.passages) {
    if (passage.sql.text.empty()) {
      continue;
    }
    report.add(check_query_findings(passage.sql, false));
    std::string columns;
    for (auto const& column : result_columns(passage.sql)) {
      columns += column + " ";
    }
    auto wanted = slug(columns);
    if (wanted.empty() || wanted == "count") {
      wanted = words_above(passage.before).name;
    }
    wanted = wanted.empty() ? "baseline" : wanted;
    auto name = wanted;
    for (int i = 2; baselines.contains(name); ++i) {
      name = wanted + "-" + std::to_string(i);
    }
    if (!passage.before.empty()) {
      baselines["#" + name] = joined(passage.before);
    }
    baselines[name] = escape(as_one_value(passage.sql));
  }
}

}  // namespace runbookd::planner::import
