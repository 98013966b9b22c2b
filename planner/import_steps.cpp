// The SQL of one phase as steps: one statement each, so that each has a way back of its own and
// what cannot stand in a transaction stands alone.
#include <algorithm>

#include "planner/import_ways_back.h"
#include "planner/sql.h"
#include "planner/sql_batches.h"
#include "planner/variables.h"

namespace runbookd::planner::import {
namespace {

// "ALTER TABLE users ADD COLUMN …" -> "column-users-org-id"; a last resort.
std::string name_of(Statement const& statement, Undo const& undo) {
  return slug(lower(statement.kind) + " " + undo.subject.substr(undo.subject.rfind('.') + 1));
}

void put_batch(Draft& step, BackfillAction const& backfill) {
  Draft set = Draft::object();
  for (auto const& [column, expression] : backfill.set) {
    set[column] = escape(expression);
  }
  Draft action{{"table", escape(backfill.table)}, {"set", set}};
  if (!backfill.from.empty()) {
    action["from"] = escape(backfill.from);
  }
  action["where"] = escape(backfill.where);
  Batch const usual;
  Draft batch = Draft::object();
  if (backfill.batch.max_rows != usual.max_rows) {
    batch["max_rows"] = backfill.batch.max_rows;
  }
  if (backfill.batch.pause != usual.pause) {
    batch["pause"] = to_text(backfill.batch.pause);
  }
  if (!batch.empty()) {
    action["batch"] = batch;
  }
  step["backfill"] = action;
}

class PhaseSteps {
 public:
  PhaseSteps(Report& report, PhaseText const& phase, Names& names, Surroundings const& around)
      : report_(report),
        phase_(phase),
        names_(names),
        schema_(around.schema),
        ways_(around.ways_back),
        all_(around.all) {}

  std::vector<Draft> steps() && {
    for (Code const& code : phase_.code) {
      if (code.role == Role::forward) {
        read_forward(code);
      } else if (code.role == Role::by_hand) {
        steps_.push_back(by_hand(code.sql.text, phase_, names_));
      } else if (code.role == Role::wait) {
        steps_.push_back({{"name", names_.free("wait")},
                          {"wait", to_text(duration_in(code.sql.text).value_or(Duration{0}))},
                          {"rollback", {{"nothing", "it changed nothing"}}}});
      }
    }
    return std::move(steps_);
  }

 private:
  void read_forward(Code const& code) {
    auto script = read_script(code.sql);
    report_.add(std::move(script.findings));
    for (auto const& passage : script.passages) {
      if (passage.sql.text.empty()) {
        continue;
      }
      if (auto const batches = batches_in(passage.sql)) {
        put_backfill(passage, *batches);
        continue;
      }
      auto const statements = statements_of(report_, passage);
      for (auto const& statement : statements) {
        judge_kept_loop(report_, statement, all_);
        put_statement(passage, statement);
        all_.push_back(statement);
      }
      if (statements.empty()) {
        put_unread(passage);
      }
    }
  }

  // What cannot be read stays in the plan, which does not load then: a plan that lacks a statement
  // must not run.
  void put_unread(Passage const& passage) {
    steps_.push_back({{"#", "The server's parser cannot read this."},
                      {"name", names_.free("mend-this")},
                      {"sql", escape(passage.sql.text)},
                      {"irreversible", "not known before its SQL is mended"}});
  }

  void put_backfill(Passage const& passage, HandMadeBatches const& batches) {
    auto const& place = passage.sql.place;
    if (batches.limited) {
      report_.say(Severity::warning, batches.limit, "import/update-limit",
                  "PostgreSQL has no LIMIT for UPDATE: the statement is refused; it became a "
                  "backfill step",
                  "use `backfill:`, or WHERE key IN (SELECT key … LIMIT n)");
    }
    report_.say(
        Severity::warning, place, "import/one-transaction",
        batches.looped ? "a loop in a DO block is one transaction: every row that it has changed "
                         "stays locked to its end, a failure loses all of it, and its batches are "
                         "none; it became a backfill step"
                       : "one UPDATE of the whole table is one transaction: every row that it has "
                         "changed stays locked to its end; it became a backfill step",
        "`backfill:` commits each batch, gives way to the application, and goes on where it "
        "stopped");
    judge_batches(place, batches);
    auto const words = words_above(passage.before);
    Draft step = Draft::object();
    step["#"] = "Was " + std::string(batches.looped ? "a loop in a DO block." : "one UPDATE.");
    step["name"] = names_.free("fill-" + slug(batches.backfill.set.front().first));
    if (!words.description.empty()) {
      step["description"] = escape(words.description);
    }
    put_batch(step, batches.backfill);
    steps_.push_back(std::move(step));
    if (auto update = update_of(batches.backfill)) {
      update->sql.place = place;
      all_.push_back(std::move(*update));
    }
  }

  void judge_batches(Place const& place, HandMadeBatches const& batches) {
    if (!batches.problem.empty()) {
      report_.say(Severity::error, place, "import/loop-condition",
                  "the loop is no backfill as it stands: " + batches.problem,
                  "write the UPDATE with the condition that names the rows which still need it: "
                  "the batches are made by the backfill");
    }
    if (!batches.range.empty()) {
      report_.say(
          Severity::warning, place, "import/loop-range",
          "`" + batches.range +
              "` is the loop's way through the table; a backfill walks "
              "it from end to end by its key, so that fell away" +
              (batches.told_by_value ? ", and the rows that need it are those whose values differ"
                                     : ""),
          "if only a part of the table is meant, say which in its `where`");
    }
  }

  void put_statement(Passage const& passage, Statement const& statement) {
    auto const undo = undo_of(statement);
    auto const words = words_above(passage.before);
    auto const dropped = dropped_column(statement);
    if (!dropped.column.empty()) {
      return put_dropped_column(statement, dropped, words);
    }
    if (statement.kind == "DROP INDEX" || statement.kind == "DROP INDEX CONCURRENTLY") {
      return put_dropped_index(statement, undo, words);
    }
    if (put_released_constraint(statement, undo, words)) {
      return;
    }
    Draft step = Draft::object();
    step["name"] = names_.free(words.name.empty() ? name_of(statement, undo) : words.name);
    if (!words.description.empty()) {
      step["description"] = escape(words.description);
    }
    step["sql"] = escape(statement.sql.text);
    put_way_back(step, statement, undo);
    steps_.push_back(std::move(step));
  }

  void put_way_back(Draft& step, Statement const& statement, Undo const& undo) {
    if (auto const back = ways_.taking_back(statement, phase_)) {
      step["rollback"] = escape(*back);
      return;
    }
    if (auto const sql = derived(statement, undo); !sql.empty()) {
      step["#rollback"] = "Not in the document: the reverse of the step.";
      step["rollback"] = escape(sql);
      return;
    }
    auto nothing = nothing_back(statement);
    if (nothing.empty() && lower(phase_.no_way_back).starts_with("nothing")) {
      nothing = phase_.no_way_back;
    }
    if (!nothing.empty()) {
      step["rollback"] = {{"nothing", escape(nothing)}};
      return;
    }
    step["irreversible"] =
        phase_.no_way_back.empty() ? "the document gives no way back" : escape(phase_.no_way_back);
    report_.say(Severity::warning, statement.sql.place, "import/no-way-back",
                "the document gives no way back for this " + statement.kind +
                    ", and none follows from it; the step is marked irreversible",
                "write its `rollback:`");
  }

  std::string nothing_back(Statement const& statement) {
    if (statement.kind == "SET" || statement.kind == "RESET") {
      report_.say(Severity::warning, statement.sql.place, "import/setting",
                  "a setting holds for its own step only",
                  "lock_timeout and statement_timeout are the plan's `lock:` and "
                  "`statement_timeout:`; another setting belongs into the step that needs it");
      return "a setting of the session changes nothing that stays";
    }
    for (auto const& change : Deed(statement).changes) {
      auto const* back = std::get_if<NothingBack>(&change.back);
      if (back == nullptr) {
        return "";
      }
      return back->why;
    }
    return "";
  }

  std::string derived(Statement const& statement, Undo const& undo) const {
    if (!undo.sql.empty()) {
      return undo.sql;
    }
    if (undo.subject.starts_with("validation ")) {
      if (auto const* added = adding(undo.subject.substr(11))) {
        return "ALTER TABLE " + table_of(undo.subject) + "\n  DROP CONSTRAINT " +
               last_name(undo.subject) + ",\n  " + constraint_clause(*added);
      }
    }
    return statement.kind == "DROP INDEX" ? index_definition(schema_, undo.subject.substr(6)) : "";
  }

  static std::string table_of(std::string const& subject) {
    auto const start = subject.rfind(' ') + 1;
    return subject.substr(start, subject.rfind('.') - start);
  }
  static std::string last_name(std::string const& subject) {
    return subject.substr(subject.rfind('.') + 1);
  }

  // The statement of this document that adds the constraint, NOT VALID.
  Statement const* adding(std::string const& name) const {
    for (auto const& earlier : all_) {
      if (undo_of(earlier).subject == "constraint " + name && is_not_valid(earlier)) {
        return &earlier;
      }
    }
    return nullptr;
  }

  // To add a validated constraint again reads the table while nobody may write. So it is made NOT
  // VALID first; validating it on the way back hurts nobody.
  bool put_released_constraint(Statement const& statement, Undo const& undo, Words const& words) {
    if (!undo.subject.starts_with("constraint ") || !undo.sql.empty()) {
      return false;
    }
    auto const name = undo.subject.substr(11);
    auto const* added = adding(name);
    if (added == nullptr || ways_.knows(undo.subject)) {
      return false;
    }
    auto const alter = "ALTER TABLE " + table_of(name) + " ";
    auto const clause = constraint_clause(*added);
    auto const drop = "DROP CONSTRAINT " + last_name(name);
    Draft release = Draft::object();
    release["#"] =
        "Not in the document: makes the constraint NOT VALID before it goes, so that the way back "
        "can "
        "validate it\nwhile reads and writes go on.";
    release["name"] = names_.free("release-" + slug(last_name(name)));
    release["statement_timeout"] = "1h";
    release["sql"] = escape(alter + drop + ",\n  " + clause);
    release["rollback"] = escape(alter + "VALIDATE CONSTRAINT " + last_name(name));
    steps_.push_back(std::move(release));
    Draft step = Draft::object();
    step["name"] = names_.free(words.name.empty() ? "drop-" + slug(last_name(name)) : words.name);
    step["sql"] = escape(statement.sql.text);
    step["#rollback"] = "Not in the document: the reverse of the step.";
    step["rollback"] = escape(alter + clause);
    steps_.push_back(std::move(step));
    return true;
  }

  void put_dropped_column(Statement const& statement, DroppedColumn const& dropped,
                          Words const& words) {
    auto keeping = keeping_steps(dropped, schema_, names_);
    std::string lost = "; a copy is kept, from which the way back fills it";
    if (keeping.empty()) {
      lost =
          ways_.taking_back(statement, phase_)
              ? "; the document's way back makes an empty column; the step is marked irreversible"
              : "; the step is marked irreversible";
    }
    report_.say(Severity::warning, statement.sql.place, "import/data-lost",
                "the values of " + dropped.table + "." + dropped.column +
                    " are gone with the column, and no rollback brings them back" + lost,
                keeping.empty() ? "import again with --schema FILE (pg_dump --schema-only): then a "
                                  "copy is kept and the way back is written"
                                : "");
    dropped_columns_.push_back(dropped);
    if (!keeping.empty()) {
      steps_.insert(steps_.end(), keeping.begin(), keeping.end());
      return;
    }
    Draft step = Draft::object();
    step["name"] = names_.free(words.name.empty() ? "drop-" + slug(dropped.column) : words.name);
    if (!words.description.empty()) {
      step["description"] = escape(words.description);
    }
    step["sql"] = escape(statement.sql.text);
    step["irreversible"] = phase_.no_way_back.empty() ? "the values of the column are gone"
                                                      : escape(phase_.no_way_back);
    steps_.push_back(std::move(step));
  }

  bool is_dropped_already(std::string const& name) const {
    auto const sql = "DROP INDEX CONCURRENTLY ";
    return std::ranges::any_of(steps_, [&](Draft const& step) {
      auto const text = step.value("sql", "");
      return text.starts_with(sql) && (text.ends_with(" " + name) || text.ends_with("." + name));
    });
  }

  // DROP COLUMN takes the column's indexes along: what drops one of them after it does nothing, and
  // has to come before it, without the strong lock.
  void put_dropped_index(Statement const& statement, Undo const& undo, Words const& words) {
    auto const name = undo.subject.starts_with("index ") ? undo.subject.substr(6) : std::string();
    auto const column = std::ranges::find_if(dropped_columns_, [&](DroppedColumn const& d) {
      return name.find(d.column) != std::string::npos;
    });
    bool const late = !name.empty() && column != dropped_columns_.end();
    if (late) {
      report_.say(Severity::warning, statement.sql.place, "import/index-gone-already",
                  "DROP COLUMN " + column->column + " above has taken its indexes along, so " +
                      name + " is not there any more; the order was turned round",
                  "drop the index first, with DROP INDEX CONCURRENTLY");
      if (is_dropped_already(name)) {
        return;
      }
    }
    Draft step = Draft::object();
    step["name"] = names_.free(words.name.empty() ? "drop-" + slug(name) : words.name);
    if (!words.description.empty()) {
      step["description"] = escape(words.description);
    }
    auto sql = statement.sql.text;
    if (statement.kind == "DROP INDEX") {
      auto const at = lower(sql).find("index");
      sql.insert(at + 5, " CONCURRENTLY");
      step["#sql"] = "CONCURRENTLY, so that nobody waits for the lock.";
    }
    step["sql"] = escape(sql);
    put_way_back(step, statement, undo);
    auto const at = late ? std::ranges::find_if(steps_,
                                                [&](Draft const& s) {
                                                  return s.value("sql", "").find("DROP COLUMN") !=
                                                         std::string::npos;
                                                })
                         : steps_.end();
    steps_.insert(at, std::move(step));
  }

  Report& report_;
  PhaseText const& phase_;
  Names& names_;
  Explanation const& schema_;
  WaysBack& ways_;
  Statements& all_;
  std::vector<Draft> steps_;
  std::vector<DroppedColumn> dropped_columns_;
};

}  // namespace

Statements statements_of(Report& report, Passage const& passage) {
  if (passage.sql.text.empty()) {
    return {};
  }
  auto read = read_sql(passage.sql);
  if (!read.statements.empty() && !read.statements.front().transactional &&
      passage.in_transaction) {
    report.say(Severity::warning, passage.sql.place, "import/not-in-transaction",
               read.statements.front().kind + " cannot stand between BEGIN (line " +
                   std::to_string(passage.began.line) +
                   ") and COMMIT: the server refuses it, and nothing of the block is done; it was "
                   "taken out and is a step of its own",
               "write it behind COMMIT, alone");
  }
  report.add(std::move(read.findings));
  return std::move(read.statements);
}

std::vector<Draft> sql_steps(Report& report, PhaseText const& phase, Names& names,
                             Surroundings const& around) {
  return PhaseSteps(report, phase, names, around).steps();
}

}  // namespace runbookd::planner::import
