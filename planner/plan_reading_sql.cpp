#include <algorithm>

#include "planner/nearest.h"
#include "planner/plan_reading.h"
#include "planner/source_text.h"

namespace runbookd::planner {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

bool is_inside(std::string_view path) {
  bool const climbs = path == ".." || path.starts_with("../") || path.ends_with("/..") ||
                      path.find("/../") != std::string_view::npos;
  return !path.empty() && path.front() != '/' && !climbs &&
         path.find('\\') == std::string_view::npos;
}

std::vector<std::string> names_of(Variables const& variables) {
  std::vector<std::string> names;
  for (auto const& [name, text] : variables) {
    names.push_back(name);
  }
  return names;
}

std::ptrdiff_t lines(std::string_view text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

std::string without_end_space(std::string text) {
  auto const last = text.find_last_not_of(" \t\r\n");
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

std::string Reading::filled_sql(SqlText const& raw) {
  Substituted const filled = fill(raw.text, variables);
  // An undeclared variable is read as if it were its own name, so that other mistakes are found in
  // the same pass.
  Variables assumed = variables;
  for (auto const& [name, offset] : filled.unknown) {
    assumed.emplace(name, name);
    std::string const meant = nearest(name, names_of(variables));
    error_at(raw.at(offset), "plan/unknown-reference",
             "the SQL uses ${" + name + "}, which is not declared",
             meant.empty() ? "declare it under `variables:`, or write $${" + name +
                                 "} if it is meant literally"
                           : "write ${" + meant + "}");
  }
  return without_end_space(fill(raw.text, assumed).text);
}

std::optional<SqlText> Reading::sql(Node const& node) {
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "SQL as text", "write the SQL behind the colon, or after `|` as a block");
    return std::nullopt;
  }
  if (node.comment.size() > 1 &&
      std::string_view("#>-=").find(node.comment[1]) != std::string_view::npos) {
    error(node.spot, "plan/cut-by-comment",
          "YAML takes " + code(node.comment) + " for a comment, so it is not part of the SQL",
          "write the SQL as a block after `|`, or in quotation marks");
  }
  SqlText const raw{.text = node.text, .place = place(node.text_spot), .indent = node.text_indent};
  std::string filled = filled_sql(raw);
  bool const same_lines = lines(filled) <= lines(raw.text);
  return SqlText{
      .text = std::move(filled), .place = raw.place, .indent = same_lines ? raw.indent : -1};
}

std::string Reading::sql_fragment(Node const& node) {
  auto const found = sql(node);
  return found ? found->text : "";
}

std::optional<SqlText> Reading::sql_file(Node const& node) {
  auto const path = text(node);
  if (!path) {
    return std::nullopt;
  }
  if (!is_inside(*path)) {
    error(node.spot, "plan/bad-value", code(*path) + " does not lie beside the plan",
          "write a path relative to the plan's own folder, with / and without ..");
    return std::nullopt;
  }
  auto const content = lookup_ ? lookup_(*path) : std::nullopt;
  if (!content) {
    error(node.spot, "plan/missing-file",
          "the file " + code(*path) + " cannot be read beside the plan",
          "put it there, send it along with the plan, or write the SQL inline");
    return std::nullopt;
  }
  if (Findings problems = text_findings(*content, *path); !problems.empty()) {
    merge(std::move(problems));
    return std::nullopt;
  }
  SqlText const raw{.text = SourceText(*content).text(), .place = {*path, 1, 1}};
  return SqlText{.text = filled_sql(raw), .place = raw.place};
}

}  // namespace runbookd::planner
