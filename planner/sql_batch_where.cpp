#include "planner/sql_batch_where.h"

#include <algorithm>
#include <array>
#include <optional>
#include <regex>
#include <vector>

#include "planner/pg_tree.h"
#include "planner/sql_clauses.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

// std::regex recurses for each character.
constexpr std::size_t most_to_search = 4000;
constexpr std::string_view frame = "SELECT 1 WHERE ";

using Tokens = std::vector<pg::Token>;

Tokens spoken(std::string const& text) {
  auto tokens = pg::scan(text);
  std::erase_if(tokens, [](pg::Token const& token) { return token.comment; });
  return tokens;
}

// "a AND (b OR c) AND d BETWEEN 1 AND 2" -> its three parts; one with OR outside of parentheses is
// one.
std::vector<std::string> parts_of(std::string const& where) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  int depth = 0;
  bool between = false;
  for (auto const& token : spoken(where)) {
    auto const word = token.in(where);
    depth += word == "(" ? 1 : word == ")" ? -1 : 0;
    if (depth != 0) {
      continue;
    }
    if (pg::same_word(word, "OR")) {
      return {where};
    }
    if (pg::same_word(word, "AND") && !between) {
      parts.push_back(trimmed(where.substr(start, token.offset - start)));
      start = token.offset + token.length;
    }
    between = pg::same_word(word, "BETWEEN") || (between && !pg::same_word(word, "AND"));
  }
  parts.push_back(trimmed(where.substr(start)));
  return parts;
}

bool has_or(std::string const& condition) {
  int depth = 0;
  return std::ranges::any_of(spoken(condition), [&](pg::Token const& token) {
    auto const word = token.in(condition);
    depth += word == "(" ? 1 : word == ")" ? -1 : 0;
    return depth == 0 && pg::same_word(word, "OR");
  });
}

// "events AS e" -> {events, e}
struct Named {
  std::string table, alias;
  std::string const& name() const { return alias.empty() ? table : alias; }
};
std::optional<Named> one_table(std::string const& text) {
  static std::regex const pattern(
      R"(^(?:ONLY\s+)?((?:"[^"]{1,128}"|[\w$]{1,128})(?:\.(?:"[^"]{1,128}"|[\w$]{1,128}))?)(?:\s+(?:AS\s+)?("[^"]{1,128}"|[\w$]{1,128}))?$)",
      std::regex::icase);
  std::smatch match;
  if (text.size() > most_to_search || !std::regex_match(text, match, pattern)) {
    return std::nullopt;
  }
  return Named{match[1].str(), match[2].str()};
}

struct Edit {
  std::size_t at = 0, length = 0;
  std::string now;
};

// The condition of the inner query in the outer one's words: its alias is not known there, and
// beside other tables its bare names may be theirs. Nothing where that cannot be told.
std::optional<std::string> outside(std::string const& condition, Named const& inner,
                                   Named const& outer, bool joined) {
  auto const framed = std::string(frame) + condition;
  auto const tree = pg::parse(framed);
  if (!tree.ok() || tree.statements.size() != 1) {
    return std::nullopt;
  }
  std::vector<Edit> edits;
  auto const where = tree.statements.front().node["whereClause"];
  for (auto const& node : pg::every(where)) {
    auto const fields =
        node.is("ColumnRef") ? pg::names(node.list("fields")) : std::vector<std::string>{};
    auto const at = static_cast<std::size_t>(node.number("location"));
    if (fields.size() == 2 && !inner.alias.empty() && fields.front() == lower(inner.alias)) {
      edits.push_back({at, inner.alias.size(), outer.name()});
    }
  }
  for (auto const& node : pg::every(where, "subselect")) {
    if (joined && node.is("ColumnRef") && node.list("fields").size() == 1) {
      edits.push_back({static_cast<std::size_t>(node.number("location")), 0, outer.name() + "."});
    }
  }
  std::ranges::sort(edits, std::greater{}, &Edit::at);
  auto text = framed;
  for (Edit const& edit : edits) {
    text.replace(edit.at, edit.length, edit.now);
  }
  return text.substr(frame.size());
}

// WHERE id IN (SELECT id FROM t WHERE … LIMIT 1000) means the inner condition.
std::optional<std::string> chosen_by(std::string const& part, Named const& outer, bool joined) {
  static std::regex const pattern(
      R"(^\(?\s*(?:[\w."]+|\([\w.", ]+\))\s+(?:IN|=\s*ANY)\s*\(\s*(ARRAY\s*\()?([\s\S]*)\)\s*$)",
      std::regex::icase);
  std::smatch match;
  if (part.size() > most_to_search || !std::regex_match(part, match, pattern)) {
    return std::nullopt;
  }
  auto inner = match[2].str();
  for (auto extra = std::ranges::count(inner, ')') - std::ranges::count(inner, '('); extra > 0;
       --extra) {
    inner.resize(inner.rfind(')'));
  }
  inner = trimmed(inner);
  constexpr std::array<std::string_view, 8> words{"FROM",  "WHERE", "ORDER", "GROUP",
                                                  "LIMIT", "FOR",   "FETCH", "OFFSET"};
  Clauses const clauses(inner, words);
  auto const from = one_table(trimmed(clauses["FROM"]));
  bool const limited = clauses.has("LIMIT") || clauses.has("FETCH");
  if (!from || lower(from->table) != lower(outer.table) || !limited || !clauses.has("WHERE") ||
      clauses.has("GROUP") || clauses.has("OFFSET")) {
    return std::nullopt;
  }
  return outside(clauses["WHERE"], *from, outer, joined);
}

bool is_limited(std::string const& part) {
  return std::ranges::any_of(spoken(part), [&](pg::Token const& token) {
    return pg::same_word(token.in(part), "LIMIT") || pg::same_word(token.in(part), "FETCH");
  });
}

bool moves(std::string const& part, LoopVariables const& variables) {
  return !variable_in(part, {.all = variables.moving, .moving = {}}).empty();
}

bool is_column(pg::Node node, LoopVariables const& variables) {
  auto const fields =
      node.is("ColumnRef") ? pg::names(node.list("fields")) : std::vector<std::string>{};
  return !fields.empty() && !(fields.size() == 1 && variables.all.contains(lower(fields.front())));
}

// "id > lo", "id BETWEEN lo AND lo + 999"
bool is_range(std::string const& part, LoopVariables const& variables) {
  auto const tree = pg::parse(std::string(frame) + part);
  if (!tree.ok() || tree.statements.size() != 1 || !moves(part, variables)) {
    return false;
  }
  auto const condition = tree.statements.front().node["whereClause"];
  if (!condition.is("A_Expr")) {
    return false;
  }
  auto const kind = condition.text("kind");
  auto const sign = pg::names(condition.list("name"));
  constexpr std::array<std::string_view, 4> order{"<", "<=", ">", ">="};
  bool const compares =
      kind == "AEXPR_BETWEEN" || (kind == "AEXPR_OP" && sign.size() == 1 &&
                                  std::ranges::find(order, sign.front()) != order.end());
  return compares &&
         (is_column(condition["lexpr"], variables) != is_column(condition["rexpr"], variables));
}

}  // namespace

LoopVariables loop_variables(std::string const& body) {
  LoopVariables found;
  auto const tokens = spoken(body);
  auto const word = [&](std::size_t at) {
    return at < tokens.size() ? lower(tokens[at].in(body)) : std::string();
  };
  bool declares = false;
  bool loops = false;
  bool into = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    auto const now = word(i);
    auto const before = i == 0 ? "" : word(i - 1);
    if (declares && now != "begin" && (before == "declare" || before == ";")) {
      found.all.insert(now);
    }
    declares = now == "declare" || (declares && now != "begin");
    loops = loops || now == "loop";
    if (before == "for" && !declares) {
      found.all.insert(now);
      found.moving.insert(now);
    }
    bool const assigned =
        body.compare(tokens[i].offset + tokens[i].length, 1, ":") == 0 || word(i + 1) == ":=" ||
        (word(i + 1) == "=" && (before == ";" || before == "loop" || before == "then"));
    into = now == "into" || (into && (now == "," || before == "into" || before == "," ||
                                      before == "strict" || now == "strict"));
    if (loops && (assigned || into) && found.all.contains(now)) {
      found.moving.insert(now);
    }
  }
  return found;
}

std::string variable_in(std::string const& sql, LoopVariables const& variables) {
  std::string before;
  for (auto const& token : spoken(sql)) {
    auto const word = lower(token.in(sql));
    if (before != "." && variables.all.contains(word)) {
      return word;
    }
    before = word;
  }
  return "";
}

BatchWhere batch_where(std::string const& where, std::string const& table, bool joined,
                       LoopVariables const& variables) {
  BatchWhere found;
  auto const outer = one_table(table).value_or(Named{table, ""});
  std::vector<std::string> kept;
  for (auto const& part : where.empty() ? std::vector<std::string>{} : parts_of(where)) {
    auto const chosen = chosen_by(part, outer, joined);
    for (auto const& one : chosen ? parts_of(*chosen) : std::vector{part}) {
      if (is_range(one, variables)) {
        found.range += (found.range.empty() ? "" : " AND ") + one;
        continue;
      }
      found.limited = found.limited || is_limited(one);
      kept.push_back(one);
    }
  }
  for (auto const& one : kept) {
    bool const loose = kept.size() > 1 && has_or(one);
    found.where += (found.where.empty() ? "" : " AND ") + (loose ? "(" + one + ")" : one);
  }
  return found;
}

}  // namespace runbookd::planner
