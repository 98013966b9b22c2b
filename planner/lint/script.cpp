#include "planner/lint/script.h"

#include <algorithm>
#include <array>
#include <utility>

#include "planner/effects_recorder.h"
#include "planner/effects_script.h"
#include "planner/sql_body.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace lint_rules {
namespace {

using pg::Node;

constexpr auto rules = std::to_array<LintRule>({
    {.id = "transaction/not-committed",
     .severity = Severity::error,
     .title = "A transaction that is never committed",
     .why = "the transaction that begins here is not ended, so nothing of it takes effect, and its "
            "locks last as long as the session",
     .fix = "end with COMMIT",
     .like = "squawk ban-uncommitted-transaction"},
    {.id = "index/foreign-key-without-index",
     .severity = Severity::warning,
     .title = "A foreign key without an index behind it",
     .why = "no index begins with these columns: every DELETE and every change of the key in the "
            "other table reads all of this one",
     .fix = "CREATE INDEX CONCURRENTLY over the columns before the foreign key is added",
     .like = "eugene E15, pg-migration-lint"},
    {.id = "lint/ignored-without-reason",
     .severity = Severity::warning,
     .title = "A finding is to be ignored, and nobody says why",
     .why = "an ignore without a reason does nothing",
     .fix = "write -- runbookd:ignore RULE: REASON"},
    {.id = "lint/unused-acknowledgement",
     .severity = Severity::note,
     .title = "An acknowledgement of something that is not found",
     .why = "no finding of this rule is here",
     .fix = "take it out, so that it does not hide one of tomorrow"},
    {.id = "sql/syntax",
     .severity = Severity::error,
     .title = "SQL that the server's parser refuses",
     .why = "the server refuses it",
     .fix = "correct it"},
    {.id = "sql/not-analysed",
     .severity = Severity::warning,
     .title = "SQL that only newer servers know",
     .why = "the grammar here is that of PostgreSQL 15, so what this statement does is not judged",
     .fix = "look at it by hand, and rehearse it on a server of the target's version"},
});
constexpr auto const& not_committed = rules[0];
constexpr auto const& key_without_index = rules[1];
constexpr auto const& without_reason = rules[2];
constexpr auto const& unused = rules[3];

std::vector<Command> commands_of(Node node, Effects const& effects, Catalog const& before,
                                 int major) {
  std::vector<Command> commands;
  if (!node.is("AlterTableStmt")) {
    return commands;
  }
  auto const nodes = node.list("cmds");
  for (auto const one : nodes) {
    Command command{
        .node = one, .def = one["def"], .type = one.text("subtype"), .name = one.text("name")};
    if (nodes.size() == 1) {
      command.effects = effects;
    } else {
      Recorder recorder(before, major);
      record_commands(recorder, node, one);
      command.effects = recorder.take();
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

std::vector<NewColumn> columns_of(Node node, std::vector<Command> const& commands, bool is_new) {
  std::vector<NewColumn> columns;
  auto const add = [&](Node def, std::string name, NewColumn::Of of) {
    columns.push_back(
        {.def = def, .name = std::move(name), .type = pg::type_of(def["typeName"]).name, .of = of});
  };
  if (node.is("CreateStmt")) {
    for (auto const element : node.list("tableElts")) {
      if (element.is("ColumnDef")) {
        add(element, element.text("colname"), NewColumn::Of::new_table);
      }
    }
  }
  for (auto const& command : commands) {
    if (command.type == "AT_AddColumn") {
      add(command.def, command.def.text("colname"),
          is_new ? NewColumn::Of::new_table : NewColumn::Of::old_table);
    } else if (command.type == "AT_AlterColumnType") {
      add(command.def, command.name, NewColumn::Of::retyped);
    }
  }
  return columns;
}

void add_key(Walk& walk, Site const& site, Node constraint, std::string const& column,
             std::string const& step) {
  if (constraint.text("contype") != "CONSTR_FOREIGN" || site.where == Where::rollback) {
    return;
  }
  auto columns = pg::names(constraint.list("fk_attrs"));
  if (columns.empty()) {
    columns = {column};
  }
  auto const name = site.name_of();
  walk.keys.push_back({.table = site.before.find(name) != nullptr ? site.before.find(name)->name
                                                                  : site.before.made_as(name),
                       .columns = std::move(columns),
                       .place = site.statement.sql.at(site.location(constraint)),
                       .step = step});
}

void collect_keys(Walk& walk, Site const& site, std::string const& step) {
  for (auto const& column : site.columns) {
    for (auto const constraint : column.def.list("constraints")) {
      add_key(walk, site, constraint, column.name, step);
    }
  }
  for (auto const& command : site.commands) {
    if (command.type == "AT_AddConstraint") {
      add_key(walk, site, command.def, "", step);
    }
  }
  for (auto const element : site.node.list("tableElts")) {
    add_key(walk, site, element, "", step);
  }
}

bool stands_behind(Index const& index, std::vector<std::string> const& columns) {
  if (index.columns.size() < columns.size() || !index.valid) {
    return false;
  }
  std::vector<std::string> first(index.columns.begin(),
                                 index.columns.begin() + std::ssize(columns));
  return std::ranges::is_permutation(first, columns);
}

Findings judge_site(Walk& walk, Statement const& statement, Node node, Effects const& effects,
                    Catalog const& before, Standing const& standing) {
  auto commands = commands_of(node, effects, before, walk.options.server_major);
  Site site{.statement = statement,
            .node = node,
            .effects = effects,
            .before = before,
            .known = walk.known,
            .options = walk.options,
            .where = standing.where,
            .alone = standing.alone,
            .base = standing.base,
            .phase = standing.phase,
            .commands = std::move(commands),
            .own = own_table(node, before, walk.known)};
  site.columns = columns_of(node, site.commands, site.is_new());
  collect_keys(walk, site, standing.step);
  return judge(site, standing.step);
}

// What a statement carries inside it and does as well: it is judged as if it stood alone, but what
// is known from it for later statements is the whole one's.
class Inside {
 public:
  Inside(Walk& walk, Statement const& outer, Catalog const& before, Standing const& standing)
      : walk_(walk), outer_(outer), before_(before), standing_(standing) {}

  void judge_all(Node node) {
    auto const every = [](Finding const&) { return true; };
    if (node.is("DoStmt")) {
      block(node);
    } else if (node.is("ExplainStmt") && pg::option_set(node, "options", "analyze", false)) {
      judge_one(outer_, node["query"], standing_.base, every);
    }
    for (auto const part : node["withClause"].list("ctes")) {
      judge_one(outer_, part["ctequery"], standing_.base, every);
    }
  }

 private:
  void block(Node node) {
    auto const body = pg::do_body(node);
    auto const start = outer_.sql.text.find(body);  // not where the body has escapes
    for (auto const& inner : pg::body_statements(body)) {
      auto const tree = pg::parse(inner.text);
      if (!tree.ok() || tree.statements.size() != 1) {
        continue;
      }
      auto const offset = start == std::string::npos ? 0 : start + inner.offset;
      auto statement = outer_;
      statement.sql.place = outer_.sql.at(offset);
      statement.sql.text = inner.text;
      statement.sql.indent = -1;  // an edit would be one of text inside text
      statement.kind = pg::kind_of(tree.statements.front().node);
      // whether it fails there depends on the code around it, which may have looked before
      judge_one(statement, tree.statements.front().node, 0,
                [](Finding const& finding) { return !finding.rule.starts_with("sql/"); });
    }
  }

  template <typename Wanted>
  void judge_one(Statement const& statement, Node node, std::size_t base, Wanted wanted) {
    if (!node || node.is("SelectStmt")) {
      return;
    }
    auto const effects = record_effects(node, before_, walk_.options.server_major);
    auto standing = standing_;
    standing.base = base;
    standing.alone = false;
    for (auto& finding : judge_site(walk_, statement, node, effects, before_, standing)) {
      if (wanted(finding)) {
        finding.edits.clear();
        walk_.findings.push_back(std::move(finding));
      }
    }
  }

  Walk& walk_;
  Statement const& outer_;
  Catalog const& before_;
  Standing const& standing_;
};

}  // namespace

std::span<LintRule const> script_rules() { return rules; }

Finding finding_of(LintRule const& rule, Place place, std::string message, std::string fix,
                   std::string step) {
  return {.rule = std::string(rule.id),
          .severity = rule.severity,
          .place = std::move(place),
          .message = message.empty() ? std::string(rule.why) : std::move(message),
          .fix = fix.empty() ? std::string(rule.fix) : std::move(fix),
          .step = std::move(step)};
}

void judge_statement(Walk& walk, Statement const& statement, Node node, Effects const& effects,
                     Catalog const& before, Standing const& standing) {
  auto found = judge_site(walk, statement, node, effects, before, standing);
  for (auto& finding : found) {
    walk.known.told_of_timeouts |= finding.rule == "session/no-lock-timeout";
    walk.findings.push_back(std::move(finding));
  }
  Inside(walk, statement, before, standing).judge_all(node);
  learn(walk.known, node, effects, statement.sql.place.line, before);
}

void judge_keys(Walk& walk, Catalog const& after) {
  for (auto const& key : walk.keys) {
    auto const* table = after.find(key.table);
    if (table == nullptr || table->kind == RelationKind::foreign_table ||
        std::ranges::any_of(table->indexes, [&](Index const& index) {
          return stands_behind(index, key.columns);
        })) {
      continue;
    }
    walk.findings.push_back(finding_of(
        key_without_index, key.place,
        to_sql(key.table) + " (" + joined(key.columns) + "): " + std::string(key_without_index.why),
        "", key.step));
  }
}

Findings acknowledge(Findings findings, std::vector<Acknowledgement> const& words, Place place) {
  for (auto const& word : words) {
    bool used = false;
    for (auto& finding : findings) {
      if (acknowledges(word, finding)) {
        finding.acknowledged = word.reason;
        used = true;
      }
    }
    if (!used) {
      findings.push_back(finding_of(
          unused, place, "`" + word.rule + "` is acknowledged, and " + std::string(unused.why)));
    }
  }
  return findings;
}

}  // namespace lint_rules

namespace {

using namespace lint_rules;

constexpr std::string_view marker = "runbookd:ignore";

struct Ignore {
  std::size_t offset;
  Acknowledgement word;
};

std::vector<Ignore> ignores_of(std::string const& text) {
  std::vector<Ignore> ignores;
  if (text.find(marker) == std::string::npos) {
    return ignores;
  }
  for (auto const& token : pg::scan(text)) {
    auto const comment = token.comment ? token.in(text) : std::string_view();
    auto const at = comment.find(marker);
    if (at == std::string_view::npos) {
      continue;
    }
    auto rest = comment.substr(at + marker.size());
    if (rest.ends_with("*/")) {
      rest.remove_suffix(2);
    }
    auto const colon = rest.find(':');
    ignores.push_back(
        {token.offset,
         {.rule = trimmed(rest.substr(0, colon)),
          .reason = colon == std::string_view::npos ? "" : trimmed(rest.substr(colon + 1))}});
  }
  return ignores;
}

class ScriptLint {
 public:
  ScriptLint(SqlText const& script, LintOptions const& options)
      : script_(script), ignores_(ignores_of(script.text)), walk_{.options = options} {
    if (options.in_transaction) {
      begin_transaction(walk_.known);
    }
  }

  void visit(ScriptStatement const& one) {
    ++statements_;
    auto const before = walk_.findings.size();
    judge_statement(walk_, one.statement, one.node, one.effects, one.before,
                    {.alone = !walk_.known.open, .base = one.base});
    transaction(one);
    apply_ignores(before, one);
  }

  LintedSql end(Walked walked) {
    if (walk_.known.open && walk_.known.by_script) {
      walk_.findings.push_back(finding_of(not_committed, begun_));
    }
    judge_keys(walk_, walked.catalog);
    auto& all = walk_.findings;
    all.insert(all.end(), walked.findings.begin(), walked.findings.end());
    std::ranges::stable_sort(all, {}, [](Finding const& finding) {
      return std::pair(finding.place.line, finding.place.column);
    });
    return {std::move(all), statements_};
  }

 private:
  void transaction(ScriptStatement const& one) {
    auto const kind = one.node.text("kind");
    auto& known = walk_.known;
    bool const control = one.node.is("TransactionStmt");
    if (control && (kind == "TRANS_STMT_BEGIN" || kind == "TRANS_STMT_START")) {
      if (!known.open) {
        begin_transaction(known);
        known.by_script = true;
        begun_ = one.statement.sql.place;
      }
    } else if (control && (kind == "TRANS_STMT_COMMIT" || kind == "TRANS_STMT_ROLLBACK" ||
                           kind == "TRANS_STMT_PREPARE")) {
      end_transaction(known, NewTables::stay_new);
    } else if (!known.open) {
      end_transaction(known, NewTables::stay_new);  // each statement is its own
    }
  }

  // Those that stand above this statement or in it.
  void apply_ignores(std::size_t first, ScriptStatement const& one) {
    auto const begin = walk_.findings.begin() + static_cast<std::ptrdiff_t>(first);
    Findings mine(begin, walk_.findings.end());
    walk_.findings.erase(begin, walk_.findings.end());
    std::vector<Acknowledgement> words;
    for (; next_ < ignores_.size() && ignores_[next_].offset < one.end; ++next_) {
      if (ignores_[next_].word.reason.empty()) {
        mine.push_back(finding_of(without_reason, script_.at(ignores_[next_].offset)));
      } else {
        words.push_back(ignores_[next_].word);
      }
    }
    mine = acknowledge(std::move(mine), words, one.statement.sql.place);
    walk_.findings.insert(walk_.findings.end(), mine.begin(), mine.end());
  }

  SqlText const& script_;
  std::vector<Ignore> ignores_;
  std::size_t next_ = 0, statements_ = 0;
  Walk walk_;
  Place begun_;
};

}  // namespace

LintedSql lint_sql(SqlText const& script, LintOptions const& options) {
  ScriptLint lint(script, options);
  auto walked = walk_script(script, options.catalog, options.server_major,
                            [&lint](ScriptStatement const& one) { lint.visit(one); });
  return lint.end(std::move(walked));
}

}  // namespace runbookd::planner
