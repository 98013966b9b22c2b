#include <string>

#include <pg_query.h>

#include "config/settings.h"
#include "planner/document.h"
#include "planner/event_json.h"
#include "planner/import.h"
#include "planner/lint.h"
#include "planner/plan_reader.h"
#include "planner/render.h"
#include "planner/sql.h"
#include "tests/fuzz/targets.h"

namespace runbookd::fuzz {

using namespace planner;

namespace {

std::pair<std::string_view, std::string_view> first_line(std::string_view input) {
  auto const end = input.find('\n');
  if (end == std::string_view::npos)
    return {input, {}};
  return {input.substr(0, end), input.substr(end + 1)};
}

struct Split {
  explicit Split(std::string const& sql) : result(pg_query_split_with_parser(sql.c_str())) {}
  ~Split() { pg_query_free_split_result(result); }
  Split(Split const&) = delete;
  Split& operator=(Split const&) = delete;
  PgQuerySplitResult result;
};

}  // namespace

void take_plan(std::string_view input) {
  auto const read = read_plan(input, "plan.yaml");
  require(read.plan || !read.findings.empty(), "a plan that does not load says why");
  if (!read.plan)
    return;
  (void)lint(*read.plan);
  auto const canonical = canonical_json(*read.plan);
  auto const again = read_plan(canonical, "canonical");
  require(again.plan.has_value(), "a plan's canonical form loads");
  require(canonical_json(*again.plan) == canonical, "a plan's canonical form is its own");
}

void take_document(std::string_view input) {
  auto const imported = import_markdown(input, "plan.md");
  require(!imported.yaml.empty() || !imported.findings.empty(),
          "a document that is no plan says why");
  if (imported.yaml.empty())
    return;
  auto const document = read_document(imported.yaml, "plan.yaml");
  require(document.root && document.findings.empty(), "what an import writes is a document");
  auto const plan = read_plan(imported.yaml, "plan.yaml").plan;
  if (!plan)
    return;
  auto const again =
      read_plan(import_markdown(render_markdown(*plan), "again.md").yaml, "again.yaml").plan;
  require(again.has_value(), "a rendered plan is imported");
  require(canonical_json(*again) == canonical_json(*plan), "a rendered plan is imported as itself");
}

// Cutting a script at the wrong place would run another statement than the one that was reviewed.
void take_sql(std::string_view input) {
  std::string const text(input);
  auto const read = read_sql({.text = text});
  (void)check_query_findings({.text = text}, false);
  if (text.find('\0') != std::string::npos || read.statements.empty())
    return;
  Split const split(text);
  require(split.result.error == nullptr, "what we split the server's parser splits");
  require(static_cast<std::size_t>(split.result.n_stmts) == read.statements.size(),
          "as many statements as the server's parser finds");
  for (std::size_t i = 0; i < read.statements.size(); ++i) {
    auto const& theirs = *split.result.stmts[i];
    auto const begin = static_cast<std::size_t>(theirs.stmt_location);
    auto const whole =
        std::string_view(text).substr(begin, static_cast<std::size_t>(theirs.stmt_len));
    require(whole.find(read.statements[i].sql.text) != std::string_view::npos,
            "each statement lies within the one that the server's parser finds");
    (void)needs_of(read.statements[i]);
    (void)created_by(read.statements[i]);
    (void)outside_of(read.statements[i]);
  }
}

void take_event(std::string_view input) {
  auto const [kind, json] = first_line(input);
  auto const body = body_from_json(kind, json);
  if (!body)
    return;
  auto const written = body_to_json(*body);
  auto const again = body_from_json(kind_of(*body), written);
  require(again.has_value(), "an event that was read can be read again");
  require(body_to_json(*again) == written, "and is the same then");
}

void take_settings(std::string_view input) {
  auto const read = config::read_settings(input, "/nowhere/runbookd.yaml");
  require(read.settings || !read.findings.empty(), "settings that do not load say why");
}

}  // namespace runbookd::fuzz
