#include "planner/pg_newer.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/pg_newer_json.h"
#include "planner/pg_newer_place.h"

namespace runbookd::planner::pg {
namespace {

using Json = nlohmann::json;
using Mark = OlderText::Mark;

using Try = std::optional<Rewrite>;

// Functions that no database has, by which the tree is known again.
constexpr std::string_view of_expression = "runbookd$expression", of_virtual = "runbookd$virtual",
                           of_not_null = "runbookd$not_null", of_alter = "runbookd$alter_",
                           of_source = "runbookd$by_source", of_subquery = "runbookd$subquery";

std::string call(std::string_view function) { return "DEFAULT " + std::string(function); }

// ALTER CONSTRAINT takes no mark of place, so it is written as another command.
Try altered(Place const& p, Index last, std::string const& how) {
  auto const word = p.back_to("CONSTRAINT", 6);
  if (word < 1 || !p.is(word - 1, "ALTER")) {
    return std::nullopt;
  }
  return Rewrite{{{word - 1, word, "ADD"},
                  {word + 2, last + 1, "CHECK (" + std::string(of_alter) + how + "())"}}};
}

Try enforced(Place const& p) {
  if (!p.is(p.at(), "ENFORCED")) {
    return std::nullopt;
  }
  bool const no = p.is(p.at() - 1, "NOT");
  if (auto const found = altered(p, p.at(), no ? "not_enforced" : "enforced")) {
    return found;
  }
  return Rewrite{{{p.at() - (no ? 1 : 0), p.at() + 1, ""}}, no ? Mark::not_enforced : Mark::none};
}

Try altered_inherit(Place const& p) {
  bool const no = p.are(p.at(), {"NO", "INHERIT"});
  return no || p.is(p.at(), "INHERIT")
             ? altered(p, p.at() + (no ? 1 : 0), no ? "no_inherit" : "inherit")
             : std::nullopt;
}

Try not_null_of_table(Place const& p) {
  bool const starts = p.is(p.at() - 1, "ADD") || p.is(p.at() - 2, "CONSTRAINT") ||
                      p.word(p.at() - 1) == "," || p.word(p.at() - 1) == "(";
  bool const ends = p.are(p.at() + 2, {"NOT", "VALID"}) || p.are(p.at() + 2, {"NO", "INHERIT"});
  if (!starts || !p.are(p.at(), {"NOT", "NULL"}) || ends || !p.name(p.at() + 2)) {
    return std::nullopt;
  }
  auto const column = std::string(p.word(p.at() + 2));
  return Rewrite{
      {{p.at(), p.at() + 3, "CHECK (" + std::string(of_not_null) + "(" + column + "))"}}};
}

Try not_null_of_domain(Place const& p) {
  auto const first = p.first_of_statement();
  auto const add = p.back_to("ADD", 3);
  if (!p.are(first, {"ALTER", "DOMAIN"}) || add < 0 || !p.are(p.at(), {"NOT", "NULL"})) {
    return std::nullopt;
  }
  return Rewrite{{{add, p.at(), "SET"}}};
}

Try column_no_inherit(Place const& p) {
  return p.are(p.at(), {"NO", "INHERIT"}) && p.are(p.at() - 2, {"NOT", "NULL"})
             ? Try(Rewrite{{{p.at(), p.at() + 2, ""}}, Mark::no_inherit, p.at() - 2})
             : std::nullopt;
}

Try virtual_column(Place const& p) {
  auto const open = p.word(p.at() - 1) == ")" ? p.opening(p.at() - 1) : -1;
  if (open < 3 || !p.are(open - 3, {"GENERATED", "ALWAYS", "AS"})) {
    return std::nullopt;
  }
  Rewrite rewrite{{{open - 3, open, call(of_virtual)}}};
  if (p.is(p.at(), "VIRTUAL")) {
    rewrite.changes.push_back({p.at(), p.at() + 1, ""});
  }
  return rewrite;
}

Try set_expression(Place const& p) {
  return p.are(p.at() - 1, {"SET", "EXPRESSION", "AS", "("})
             ? Try(Rewrite{{{p.at(), p.at() + 2, call(of_expression)}}})
             : std::nullopt;
}

Try default_of(Place const& p, std::string_view word, std::string now) {
  return p.is(p.at(), "DEFAULT") && p.is(p.at() - 1, word)
             ? Try(Rewrite{{{p.at(), p.at() + 1, std::move(now)}}})
             : std::nullopt;
}
Try statistics_default(Place const& p) { return default_of(p, "STATISTICS", "-1"); }
Try method_default(Place const& p) { return default_of(p, "METHOD", "heap"); }
Try storage_default(Place const& p) { return default_of(p, "STORAGE", "extended"); }

Try storage_of_column(Place const& p) {
  return p.is(p.at(), "STORAGE") && !p.is(p.at() - 1, "SET")
             ? Try(Rewrite{{{p.at(), p.at() + 2, ""}}})
             : std::nullopt;
}

Try unnamed_statistics(Place const& p) {
  bool const here =
      p.are(p.at() - 2, {"CREATE", "STATISTICS"}) && (p.is(p.at(), "ON") || p.word(p.at()) == "(");
  return here ? Try(Rewrite{{{p.at(), p.at(), "runbookd$unnamed "}}}) : std::nullopt;
}

Try without_overlaps(Place const& p) {
  return p.are(p.at(), {"WITHOUT", "OVERLAPS"}) ? Try(Rewrite{{{p.at(), p.at() + 2, ""}}})
                                                : std::nullopt;
}

Try period(Place const& p) {
  return p.is(p.at() - 1, "PERIOD") && p.name(p.at()) ? Try(Rewrite{{{p.at() - 1, p.at(), ""}}})
                                                      : std::nullopt;
}

// What a query in it reads would be lost with it.
Try merge_returning(Place const& p) {
  auto const end = p.close_of(p.at());
  bool here = p.is(p.at(), "RETURNING");
  bool merges = false;
  for (auto i = p.first_of_statement(); i < end; ++i) {
    merges |= i < p.at() && p.is(i, "MERGE");
    here &= i < p.at() || !p.is(i, "SELECT");
  }
  return here && merges ? Try(Rewrite{{{p.at(), end, ""}}}) : std::nullopt;
}

Try by_target(Place const& p) {
  return p.are(p.at() - 2, {"NOT", "MATCHED", "BY", "TARGET"})
             ? Try(Rewrite{{{p.at(), p.at() + 2, ""}}})
             : std::nullopt;
}

// Rows of the target that the source lacks: the condition is kept inside of a call, so that the
// clause is known again.
Try by_source(Place const& p) {
  if (!p.are(p.at() - 2, {"NOT", "MATCHED", "BY", "SOURCE"})) {
    return std::nullopt;
  }
  auto const begin = p.at() + 2;
  int cases = 0;
  auto then = begin;
  for (; then < p.count() && (cases > 0 || !p.is(then, "THEN")); ++then) {
    cases += p.is(then, "CASE") ? 1 : p.is(then, "END") ? -1 : 0;
  }
  auto const function = std::string(of_source);
  if (!p.is(begin, "AND")) {
    return Rewrite{{{p.at() - 2, begin, "MATCHED AND " + function + "()"}}};
  }
  return Rewrite{{{p.at() - 2, begin + 1, "MATCHED AND " + function + "("}, {then, then, ") "}}};
}

Try json_16(Place const& p) { return json_call(p, 16); }
Try json_17(Place const& p) { return json_call(p, 17); }

Try xml_indent(Place const& p) {
  bool const no = p.are(p.at(), {"NO", "INDENT"});
  bool const here = no || p.is(p.at(), "INDENT");
  return here && p.word(p.at() + (no ? 2 : 1)) == ")"
             ? Try(Rewrite{{{p.at(), p.at() + (no ? 2 : 1), ""}}})
             : std::nullopt;
}

Try unnamed_subquery(Place const& p) {
  auto const inside = p.word(p.at()) == "(" ? p.at() + 1 : p.at();
  bool const query = p.is(inside, "SELECT") || p.is(inside, "VALUES") || p.is(inside, "WITH");
  if (p.word(p.at()) != "(" || !query) {
    return std::nullopt;
  }
  auto const end = p.closing(p.at());
  return Rewrite{{{end, end, " AS " + std::string(of_subquery) + " "}}};
}

Try returning_with(Place const& p) {
  if (!p.are(p.at() - 1, {"RETURNING", "WITH", "("})) {
    return std::nullopt;
  }
  return Rewrite{{{p.at(), p.closing(p.at() + 1), ""}}};
}

Try vacuum_only(Place const& p) {
  auto const first = p.first_of_statement();
  bool const here = p.is(p.at(), "ONLY") &&
                    (p.is(first, "VACUUM") || p.is(first, "ANALYZE") || p.is(first, "ANALYSE"));
  return here ? Try(Rewrite{{{p.at(), p.at() + 1, ""}}, Mark::only, p.at() + 1}) : std::nullopt;
}

Try at_local(Place const& p) {
  return p.are(p.at() - 1, {"AT", "LOCAL"})
             ? Try(Rewrite{{{p.at(), p.at() + 1, "TIME ZONE current_setting('timezone')"}}})
             : std::nullopt;
}

// IS DOCUMENT asks as little of its argument, and proves as little.
Try is_json(Place const& p) {
  if (!p.is(p.at(), "JSON") || !(p.is(p.at() - 1, "IS") || p.are(p.at() - 2, {"IS", "NOT"}))) {
    return std::nullopt;
  }
  auto to = p.at() + 1;
  for (auto const* kind : {"VALUE", "OBJECT", "ARRAY", "SCALAR"}) {
    to += p.is(to, kind) ? 1 : 0;
  }
  if ((p.is(to, "WITH") || p.is(to, "WITHOUT")) && p.is(to + 1, "UNIQUE")) {
    to += p.is(to + 2, "KEYS") ? 3 : 2;
  }
  return Rewrite{{{p.at(), to, "DOCUMENT"}}};
}

Try role_options(Place const& p) {
  auto const first = p.first_of_statement();
  auto const with = p.back_to("WITH", 3);
  if (!p.is(first, "GRANT") || with < 0) {
    return std::nullopt;
  }
  auto to = with;
  while (to < p.count() && p.word(to) != ";" && !p.is(to, "GRANTED")) {
    ++to;
  }
  return Rewrite{{{with, to, ""}}};
}

Try large_objects(Place const& p) {
  bool const here = p.are(p.at() - 1, {"ON", "LARGE", "OBJECTS"}) &&
                    p.are(p.first_of_statement(), {"ALTER", "DEFAULT", "PRIVILEGES"});
  return here ? Try(Rewrite{{{p.at(), p.at() + 2, "TABLES"}}}) : std::nullopt;
}

Try reindex_unnamed(Place const& p) {
  bool const ends = p.at() == p.count() || p.word(p.at()) == ";";
  bool const here = ends && p.is(p.first_of_statement(), "REINDEX") &&
                    (p.is(p.at() - 1, "DATABASE") || p.is(p.at() - 1, "SYSTEM") ||
                     (p.is(p.at() - 1, "CONCURRENTLY") && p.is(p.at() - 2, "DATABASE")));
  return here ? Try(Rewrite{{{p.at(), p.at(), " runbookd$current"}}}) : std::nullopt;
}

struct Rule {
  std::string_view words;
  int since;  // as the release notes have it
  Try (*rewrite)(Place const&);
};
constexpr Rule rules[] = {
    {"[NOT] ENFORCED", 18, enforced},
    {"ALTER CONSTRAINT … [NO] INHERIT", 18, altered_inherit},
    {"NOT NULL on a domain as a constraint", 17, not_null_of_domain},
    {"NOT NULL as a constraint of the table", 18, not_null_of_table},
    {"NOT NULL … NO INHERIT", 18, column_no_inherit},
    {"a virtual generated column", 18, virtual_column},
    {"SET EXPRESSION", 17, set_expression},
    {"SET STATISTICS DEFAULT", 17, statistics_default},
    {"SET ACCESS METHOD DEFAULT", 17, method_default},
    {"SET STORAGE DEFAULT", 16, storage_default},
    {"STORAGE of a new column", 16, storage_of_column},
    {"CREATE STATISTICS without a name", 16, unnamed_statistics},
    {"WITHOUT OVERLAPS", 18, without_overlaps},
    {"PERIOD in a foreign key", 18, period},
    {"MERGE … RETURNING", 17, merge_returning},
    {"NOT MATCHED BY TARGET", 17, by_target},
    {"NOT MATCHED BY SOURCE", 17, by_source},
    {"JSON_OBJECT, JSON_ARRAY and their clauses", 16, json_16},
    {"JSON_TABLE, JSON_QUERY and their clauses", 17, json_17},
    {"XMLSERIALIZE … INDENT", 16, xml_indent},
    {"a subquery in FROM without a name", 16, unnamed_subquery},
    {"RETURNING WITH", 18, returning_with},
    {"ONLY in VACUUM and ANALYZE", 18, vacuum_only},
    {"AT LOCAL", 17, at_local},
    {"IS JSON", 16, is_json},
    {"options of a granted role", 16, role_options},
    {"default privileges on large objects", 18, large_objects},
    {"REINDEX of this database without its name", 16, reindex_unnamed},
};

// The arguments of a call of this function; nothing for anything else.
Json* arguments(Json& expression, std::string_view function) {
  auto const node = expression.find("FuncCall");
  if (node == expression.end() || !node->contains("funcname")) {
    return nullptr;
  }
  auto const& name = (*node)["funcname"];
  if (name.size() != 1 || name[0]["String"].value("sval", "") != function) {
    return nullptr;
  }
  return &(*node)["args"];
}

void restore_default(Json& constraint) {
  if (auto* found = arguments(constraint["raw_expr"], of_virtual)) {
    auto expression = std::move((*found)[0]);
    constraint["contype"] = "CONSTR_GENERATED";
    constraint["generated_when"] = "a";
    constraint["generated_kind"] = "v";
    constraint["raw_expr"] = std::move(expression);
  }
}

void restore_check(Json& constraint) {
  if (auto* found = arguments(constraint["raw_expr"], of_not_null)) {
    auto column = (*found)[0]["ColumnRef"]["fields"];
    constraint["contype"] = "CONSTR_NOTNULL";
    constraint["keys"] = std::move(column);
    constraint.erase("raw_expr");
  }
}

void restore_command(Json& command) {
  auto const subtype = command.value("subtype", "");
  if (!command.contains("def")) {
    return;
  }
  auto& def = command["def"];
  if (auto* found = subtype == "AT_ColumnDefault" ? arguments(def, of_expression) : nullptr) {
    auto expression = std::move((*found)[0]);
    command["subtype"] = "AT_SetExpression";
    def = std::move(expression);
  }
  if (subtype != "AT_AddConstraint" || !def["Constraint"].contains("raw_expr")) {
    return;
  }
  auto& constraint = def["Constraint"];
  for (auto const* how : {"enforced", "not_enforced", "inherit", "no_inherit"}) {
    if (arguments(constraint["raw_expr"], std::string(of_alter) + how) != nullptr) {
      command["subtype"] = "AT_AlterConstraint";
      constraint["contype"] = "CONSTR_FOREIGN";
      constraint["becomes"] = how;
      constraint.erase("raw_expr");
    }
  }
}

void restore_merge(Json& clause) {
  if (auto* found = arguments(clause["condition"], of_source)) {
    auto condition = found->empty() ? Json() : std::move((*found)[0]);
    clause["by_source"] = true;
    if (condition.is_null()) {
      clause.erase("condition");
    } else {
      clause["condition"] = std::move(condition);
    }
  }
}

bool has_location(Json const& node) {
  return node.is_object() && node.contains("location") && node["location"].is_number();
}

void restore_node(std::string const& key, Json& node) {
  if (key == "AlterTableCmd") {
    restore_command(node);
  } else if (key == "MergeWhenClause" && node.contains("condition")) {
    restore_merge(node);
  } else if (key == "RangeSubselect" && node.contains("alias") &&
             node["alias"].value("aliasname", "") == of_subquery) {
    node.erase("alias");
  } else if (key == "Constraint" && node.value("contype", "") == "CONSTR_DEFAULT" &&
             node.contains("raw_expr")) {
    restore_default(node);
  } else if (key == "Constraint" && node.value("contype", "") == "CONSTR_CHECK" &&
             node.contains("raw_expr")) {
    restore_check(node);
  }
}

void set_mark(Json& constraint, Mark mark) {
  if (mark == Mark::not_enforced) {
    constraint["not_enforced"] = true;
    constraint["skip_validation"] = true;  // as the server's own grammar has it
  } else {
    constraint["is_no_inherit"] = true;
  }
}

}  // namespace

OlderText::OlderText(std::string sql) : text_(std::move(sql)), origin_(text_.size() + 1) {
  for (std::size_t i = 0; i < origin_.size(); ++i) {
    origin_[i] = i;
  }
}

std::size_t OlderText::original(std::size_t offset) const {
  return origin_[std::min(offset, text_.size())];
}

void OlderText::replace(std::size_t from, std::size_t to, std::string const& now) {
  auto const at = origin_.begin() + static_cast<Index>(from);
  auto const start = *at;
  auto const next = origin_.erase(at, at + static_cast<Index>(to - from));
  origin_.insert(next, now.size(), start);
  text_.replace(from, to - from, now);
}

// 1_000 and 0x1F, which the scanner itself refuses.
bool OlderText::rewrite_number(std::size_t error) {
  auto to = error;
  while (to < text_.size() &&
         (std::isalnum(static_cast<unsigned char>(text_[to])) != 0 || text_[to] == '_')) {
    ++to;
  }
  auto digits = text_.substr(error, to - error);
  if (digits.empty() || std::isdigit(static_cast<unsigned char>(digits.front())) == 0) {
    return false;
  }
  auto const kind = digits.size() > 2 && digits[0] == '0' ? std::tolower(digits[1]) : 0;
  int const base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
  auto const was = digits.size();
  std::erase(digits, '_');
  std::size_t read = 0;
  try {
    auto const value = std::stoull(digits.substr(base == 10 ? 0 : 2), &read, base);
    if (read + (base == 10 ? 0 : 2) != digits.size() || (base == 10 && digits.size() == was)) {
      return false;
    }
    found_.push_back({"such a form of number", 16, original(error)});
    replace(error, to, base == 10 ? digits : std::to_string(value));
  } catch (std::exception const&) {  // not a number, or more than 64 bits
    return false;
  }
  return true;
}

bool OlderText::rewrite(std::size_t error) {
  if (rewrite_number(error)) {
    return true;
  }
  Place const place(text_, error);
  if (place.count() == 0) {
    return false;
  }
  for (auto const& rule : rules) {
    auto const found = rule.rewrite(place);
    if (!found) {
      continue;
    }
    auto const about = found->about >= 0 ? found->about : found->changes.front().from;
    found_.push_back({rule.words, rule.since, original(place.begin(place.at()))});
    if (found->mark != Mark::none) {
      marks_.push_back({found->mark, original(place.begin(about))});
    }
    for (auto change = found->changes.rbegin(); change != found->changes.rend(); ++change) {
      auto const from = place.begin(change->from);
      replace(from, change->to > change->from ? place.end(change->to - 1) : from, change->now);
    }
    return true;
  }
  return false;
}

std::string OlderText::restored(std::string_view json) const {
  auto tree = Json::parse(json, nullptr, false);
  struct Found {
    Json* node = nullptr;
    std::size_t location = 0;
  };
  std::vector<Found> marked(marks_.size());
  std::vector<std::pair<std::string, Json*>> open{
      {"", &tree}};  // trees may be deeper than our stack
  while (!open.empty()) {
    auto const [key, node] = open.back();
    open.pop_back();
    if (node->is_object()) {
      restore_node(key, *node);
    }
    if (has_location(*node)) {
      auto const location = original((*node)["location"].get<std::size_t>());
      (*node)["location"] = location;
      for (std::size_t i = 0; i < marks_.size(); ++i) {
        auto& best = marked[i];
        bool const named = marks_[i].mark == Mark::only;
        bool const fits = named ? location == marks_[i].offset && node->contains("relname")
                                : location <= marks_[i].offset && node->contains("contype") &&
                                      (best.node == nullptr || location > best.location);
        if (fits) {
          best = {node, location};
        }
      }
    }
    if (node->is_object() && node->contains("stmt_len")) {
      auto const begin = node->value("stmt_location", std::size_t{0});
      auto const end = begin + (*node)["stmt_len"].get<std::size_t>();
      (*node)["stmt_location"] = original(begin);
      (*node)["stmt_len"] = original(end) - original(begin);
    } else if (node->is_object() && node->contains("stmt_location")) {
      (*node)["stmt_location"] = original((*node)["stmt_location"].get<std::size_t>());
    }
    if (node->is_structured()) {
      for (auto const& item : node->items()) {
        if (item.value().is_structured()) {
          open.emplace_back(node->is_object() ? item.key() : "", &item.value());
        }
      }
    }
  }
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    if (marked[i].node == nullptr) {
      continue;
    }
    if (marks_[i].mark == Mark::only) {
      marked[i].node->erase("inh");
    } else {
      set_mark(*marked[i].node, marks_[i].mark);
    }
  }
  return tree.dump();
}

}  // namespace runbookd::planner::pg
