// SQL told without a server: what each statement of a file does to the relations it touches.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/effects.h"
#include "planner/lint.h"
#include "planner/lint/rule.h"
#include "web/ctl/findings.h"
#include "web/ctl/perform.h"
#include "web/ctl/plan_files.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/schema.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Consequence;
using planner::Effects;
using planner::ExplainedStatement;
using planner::RelationLock;

Json modes_json(std::uint8_t asked) {
  auto list = Json::array();
  for (unsigned mode = 0; mode <= static_cast<unsigned>(planner::LockMode::access_exclusive);
       ++mode) {
    if ((asked >> mode & 1U) != 0) {
      list.push_back(planner::to_text(static_cast<planner::LockMode>(mode)));
    }
  }
  return list;
}

// What is let go before the end of the statement; outside a transaction all is at its end.
Json locks_json(std::vector<RelationLock> const& locks, char const* key, bool transactional) {
  auto list = Json::array();
  for (auto const& lock : locks) {
    Json one = {{key, lock.name},
                {"kind", planner::to_text(lock.kind)},
                {"mode", planner::to_text(lock.mode)}};
    if (!lock.of.empty()) {
      one["of"] = lock.of;
    }
    if (auto modes = modes_json(lock.asked); lock.of.empty() && modes.size() > 1) {
      one["all_modes"] = std::move(modes);
    }
    if (!lock.kept && transactional) {
      one["still_held_at_end"] = nullptr;
    }
    list.push_back(std::move(one));
  }
  return list;
}

Json consequences_json(std::vector<Consequence> const& consequences) {
  auto list = Json::array();
  for (auto const& one : consequences) {
    list.push_back({{"what", one.what}, {"why", one.why}});
  }
  return list;
}

Json statement_json(ExplainedStatement const& one, std::size_t number, std::string const& file) {
  auto const& effects = one.effects;
  Json json = {{"file", file},
               {"statement", number},
               {"line", one.statement.sql.place.line},
               {"kind", one.statement.kind},
               {"locks", locks_json(effects.locks, "table", effects.transactional)},
               {"other_locks", locks_json(effects.other_locks, "relation", effects.transactional)},
               {"rewrites", effects.rewrites},
               {"scans", effects.scans},
               {"plan_dependent_scans", effects.plan_dependent_scans},
               {"emptied", effects.emptied},
               {"rebuilt_indexes", effects.rebuilt_indexes},
               {"dropped", effects.dropped},
               {"created", effects.created},
               {"transactional", effects.transactional},
               {"blocks_reads", effects.blocks_reads()},
               {"blocks_writes", effects.blocks_writes()},
               {"reads_blocked", one.stalls.reads},
               {"writes_blocked", one.stalls.writes},
               {"waits_for", effects.waits_for},
               {"destructive", consequences_json(effects.destructive)},
               {"breaks_old_app", consequences_json(effects.breaks_old_app)},
               {"assumed", effects.assumed},
               {"analysed", effects.analysed},
               {"opaque", effects.opaque}};
  if (!effects.analysed) {
    json["not_analysed"] = effects.not_analysed;
  }
  if (effects.hold_ms >= 0) {
    json["estimated_ms"] = effects.hold_ms;
  }
  return json;
}

void add_note(Lines& lines, std::string const& what, std::string const& text, Tone tone) {
  if (!text.empty()) {
    lines.push_back(Line().add("  ").add(what, Tone::dim).column(18).add(text, tone));
  }
}

// A statement's locks, then what else there is to know about it; nothing is said of what is not so.
Lines rendered(ExplainedStatement const& one, std::size_t number, Look look, int width) {
  auto const& effects = one.effects;
  auto const text = fit(clean(one.statement.sql.text), std::max(40, width - 14), look.cut());
  Lines lines{Line().add(std::to_string(number), Tone::strong).column(4).add(text, Tone::strong)};
  if (!effects.analysed) {
    add_note(lines, "unknown", clean(effects.not_analysed), Tone::bad);
    return lines;
  }
  for (auto const& lock : effects.locks) {
    auto const* stops = blocks_reads(lock.mode)    ? "  stops reads and writes"
                        : blocks_writes(lock.mode) ? "  stops writes"
                                                   : "";
    lines.push_back(Line()
                        .add("  ")
                        .add("locks", Tone::dim)
                        .column(18)
                        .add(clean(lock.name) + "  " + std::string(to_text(lock.mode)))
                        .add(stops, Tone::waiting));
  }
  add_note(lines, "rewrites", clean(joined(effects.rewrites)), Tone::bad);
  add_note(lines, "reads all of", clean(joined(effects.scans)), Tone::waiting);
  add_note(lines, "empties", clean(joined(effects.emptied)), Tone::bad);
  if (effects.locks.empty() && effects.other_locks.empty()) {
    add_note(lines, "locks", "no table that was there before", Tone::good);
  }
  if (!effects.transactional) {
    add_note(lines, "outside", "cannot stand between BEGIN and COMMIT", Tone::waiting);
  }
  for (auto const& loss : effects.destructive) {
    add_note(lines, "destroys", clean(loss.what + ": " + loss.why), Tone::bad);
  }
  for (auto const& loss : effects.breaks_old_app) {
    add_note(lines, "old application", clean(loss.what + ": " + loss.why), Tone::waiting);
  }
  for (auto const& assumed : effects.assumed) {
    add_note(lines, "assumed", clean(assumed), Tone::dim);
  }
  return lines;
}

void put_statements(Session& session, planner::Explanation const& explained,
                    std::string const& file) {
  auto all = Json::array();
  std::size_t number = 0;
  for (auto const& one : explained.statements) {
    ++number;
    switch (session.global.output) {
      case Output::json:
        all.push_back(statement_json(one, number, file));
        break;
      case Output::ndjson:
        put(session, to_line(statement_json(one, number, file)));
        break;
      case Output::name:
      case Output::table:
        put(session, rendered(one, number, session.look, session.view().width));
    }
  }
  if (session.global.output == Output::json) {
    put(session, to_pretty({{"statements", all}}));
  }
}

}  // namespace

Exit perform(Session& session, SqlExplain const& command) {
  auto known = load_known(session, command);
  if (!known) {
    return report(session, known.error());
  }
  auto const script = load_text(session, command.file);
  if (!script) {
    return report(session, script.error());
  }
  auto const file = command.file == "-" ? std::string("stdin") : command.file;
  auto const explained = planner::explain(
      {.text = *script, .place = {.file = file, .line = 1, .column = 1}}, std::move(known->catalog),
      command.server_version != 0 ? command.server_version : known->major());
  put_statements(session, explained, file);
  tell_findings(session, explained.findings);
  return explained.findings.empty() ? Exit::done : Exit::invalid;
}

Exit perform(Session& session, SqlLint const& command) {
  auto options = lint_options(session, command);
  if (!options) {
    return report(session, options.error());
  }
  auto const script = load_text(session, command.file);
  if (!script) {
    return report(session, script.error());
  }
  auto const file = command.file == "-" ? std::string("stdin") : command.file;
  auto const linted = planner::lint_sql(
      {.text = *script, .place = {.file = file, .line = 1, .column = 1}}, *options);
  if (command.fix && command.file != "-") {
    if (auto const end = fixed(session, command, linted.findings)) {
      return *end;
    }
  }
  put_findings(session, file, linted.findings, command.report);
  return planner::has_error(linted.findings) ? Exit::invalid : Exit::done;
}

Exit perform(Session& session, SqlRules const&) {
  auto list = Json::array();
  for (auto const& rule : planner::all_rules()) {
    bool const optional = rule.use == planner::LintRule::Use::optional;
    if (session.as_json()) {
      list.push_back({{"rule", rule.id},
                      {"severity", planner::to_text(rule.severity)},
                      {"optional", optional},
                      {"title", rule.title},
                      {"why", rule.why},
                      {"fix", rule.fix},
                      {"like", rule.like}});
    } else if (session.global.output == Output::name) {
      put(session, std::string(rule.id));
    } else {
      put(session,
          Line()
              .add(std::string(rule.id), Tone::strong)
              .column(42)
              .add(std::string(planner::to_text(rule.severity)) + (optional ? ", optional" : ""))
              .column(62)
              .add(std::string(rule.title))
              .print(session.look));
    }
  }
  if (session.global.output == Output::ndjson) {
    for (auto const& rule : list) {
      put(session, to_line(rule));
    }
  } else if (session.as_json()) {
    put(session, to_pretty({{"rules", list}}));
  }
  return Exit::done;
}

}  // namespace runbookd::ctl
