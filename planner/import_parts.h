// Private to planner/import*: the document on its way from Markdown to a plan.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "planner/effects.h"
#include "planner/markdown.h"
#include "planner/plan.h"
#include "planner/sql_script.h"
#include "planner/sql_undo.h"
#include "planner/words.h"
#include "planner/yaml_text.h"

namespace runbookd::planner::import {

using markdown::Block;

template <typename... Words>
bool mentions(std::string_view lower_text, Words... words) {
  return ((lower_text.find(words) != std::string_view::npos) || ...);
}
// A name as plans need it: "Add NOT NULL constraint" -> "add-not-null-constraint".
std::string slug(std::string_view text);
// "72 hours", "[10 minutes]", "2-3 days" (the longer one); nothing where no unit is said.
std::optional<Duration> duration_in(std::string_view text);
// "[Name]": something that the author of the form left for others to fill in.
bool is_placeholder(std::string_view text);

// "**Label:** value", as paragraphs and items of the form have it. A value may run over lines.
struct Field {
  std::string label;  // lower case, without the colon; empty = text without one
  std::string value;
  int line = 0;
  bool exact = false;  // it was written by a program
};
std::vector<Field> fields_in(markdown::Runs const& runs);
bool is_exact_value(markdown::Runs const& runs);
// One value, exactly: a code span that holds a JSON string is that string.
std::string value_of(markdown::Runs const& runs);

// The words above a statement or query: its name from the first line of the last group, the whole
// of that group as the description.
struct Words {
  std::string name, description;
};
Words words_above(std::vector<Comment> const& comments);

// What is being made, and what is said about it on the way.
struct Report {
  std::string file;
  Findings findings;
  void say(Severity severity, Place place, std::string rule, std::string message,
           std::string fix = "");
  void say(Severity severity, int line, std::string rule, std::string message,
           std::string fix = "") {
    say(severity, Place{file, line, 1}, std::move(rule), std::move(message), std::move(fix));
  }
  void add(Findings more) {
    findings.insert(findings.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }
};

// Names that are taken in one list: a second "add-column" becomes "add-column-2".
class Names {
 public:
  std::string free(std::string wanted);

 private:
  std::set<std::string> taken_;
};

// What a document's code is for, judged by the words above it.
// by_hand: what people do between the statements; wait: how long nothing is done there.
enum class Role { forward, rollback, requirement, validation, monitoring, baseline, by_hand, wait };
struct Code {
  SqlText sql;
  Role role = Role::forward;
  std::string label;
  int line = 0;
};
struct ListItem {
  std::string text, owner;
  int line = 0;
  bool task = false;
};
ListItem item_of(Block const& block);  // "**ana:** Search the code"

// SQL that takes back, below a heading or label that says so.
struct BackText {
  Code code;
  int phase_line = 0;   // of the phase that it names or stands in; 0 = none
  std::string heading;  // the words
  bool sure = false;    // they can mean nothing else
};

struct PhaseText {
  std::string title;  // of the heading, without "Phase 2 —"
  std::string name;
  int number = 0;        // 0 = the heading has none
  bool counted = false;  // … and is the first that has it
  int line = 0;
  PhaseKind kind = PhaseKind::other;
  std::string goal, application, deploy_order, prerequisites, no_way_back;
  std::vector<Code> code;
  std::vector<std::string> remarks;  // what else it says
  std::optional<Duration> soak, not_before;
  int after = 0;         // the number of the phase that not_before counts from; 0 = the one before
  std::string approver;  // who signs; empty = nobody has to
  std::vector<ListItem> rollback_items;
  std::vector<ListItem> checklist;
  Draft exact = Draft::object();  // keys that were spelled out: soak, approval, steps, validate …
  bool is_exact() const { return exact.contains("steps"); }
};

// The checks of one piece of SQL: {name, description, sql, expect}, with comments.
std::vector<Draft> checks_in(Report& report, Code const& code, Names& names,
                             std::vector<std::string> const& baselines);
// Baselines: name and SQL.
void put_baselines(Report& report, Code const& code, Draft& baselines);

struct Expected {
  Draft expect;          // null = the words say nothing that can be compared
  std::string column;    // only this column of the result is spoken of
  bool hedged = false;   // "0 (or irrelevant …)"
  bool several = false;  // "between 5 and 10": nothing that one check compares
};
Expected expectation_in(std::string_view comment, std::vector<std::string> const& baselines,
                        std::string_view alias);

// The SQL of all phases, in order: constraints that one adds and another validates or drops, and
// what the document's table of locks speaks of.
using Statements = std::vector<Statement>;
Statements statements_of(Report& report, Passage const& passage);
class WaysBack;
struct Surroundings {
  Explanation const& schema;
  WaysBack& ways_back;
  Statements& all;
};
std::vector<Draft> sql_steps(Report& report, PhaseText const& phase, Names& names,
                             Surroundings const& around);

// A loop, or one round of one, that stays the statement that it is.
void judge_kept_loop(Report& report, Statement const& statement, Statements const& earlier);

// Steps that drop a column and can bring it back with its values, from what the schema tells;
// empty where it does not tell enough.
std::vector<Draft> keeping_steps(DroppedColumn const& dropped, Explanation const& schema,
                                 Names& names);
// CREATE INDEX CONCURRENTLY …, from the schema; empty where it does not know the index.
std::string index_definition(Explanation const& schema, std::string const& index);

// What people do, in the order of the form: before the SQL, after it, and how long they watch.
struct HandWork {
  std::vector<Draft> before, after;
  std::optional<Duration> soak;
  std::optional<Duration> not_before;  // since the phase before was done
  std::vector<std::string> left_out;   // what runbookd does itself
  std::vector<ListItem> notes;         // what people see to meanwhile
};
HandWork hand_work(PhaseText const& phase, Names& names);
// One thing that people do; a deployment gets its way back.
Draft by_hand(std::string const& text, PhaseText const& phase, Names& names);

// A plan's own spelling, below headings such as "Step `add-column`".
struct Exact {
  enum class Kind { phase, step, requirement, check, watch, final_check, baseline } kind{};
  std::string name;
};
std::optional<Exact> exact_heading(Block const& heading);
Draft exact_part(Report& report, Exact const& exact, std::span<Block const> body);

// The document's table of locks beside what the statements really take.
struct LockClaim {
  PerformanceNote note;
  int line = 0;
};
void judge_locks(Report& report, std::vector<LockClaim> const& claims, Statements const& statements,
                 Catalog const& catalog, int server_major);

}  // namespace runbookd::planner::import
