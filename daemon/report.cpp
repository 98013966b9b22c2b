#include "daemon/report.h"

#include <nlohmann/json.hpp>

namespace runbookd::daemon {
namespace {

using Json = nlohmann::ordered_json;

std::string spelled(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What is missing or of another type is empty.
std::string text_of(Json const& object, char const* key) {
  if (!object.is_object() || !object.contains(key) || object[key].is_null()) {
    return {};
  }
  auto const& value = object[key];
  return value.is_string() ? value.get<std::string>() : spelled(value);
}

Json const& child(Json const& object, char const* key) {
  static Json const none = Json::array();
  return object.is_object() && object.contains(key) ? object[key] : none;
}

std::string joined(std::vector<std::string> const& words, std::string const& between) {
  std::string text;
  for (auto const& word : words) {
    text += word.empty() ? "" : (text.empty() ? "" : between) + word;
  }
  return text;
}

std::string or_daemon(std::string actor) { return actor.empty() ? "runbookd" : actor; }

std::string how_long(std::string const& from, std::string const& to) {
  auto const began = planner::parse_rfc3339(from);
  auto const ended = planner::parse_rfc3339(to);
  return began && ended ? planner::to_text(*ended - *began) : "";
}

ReportSection about_run(Json const& run, RunEvidence const& evidence) {
  auto const& plan = child(run, "plan");
  std::string began, ended = text_of(run, "state_since");
  for (auto const& event : evidence.events) {
    auto const json = Json::parse(event.json, nullptr, false);
    if (began.empty() && text_of(json, "kind") == "run.started") {
      began = text_of(json, "time");
    }
  }
  return {
      .title = "The run",
      .paragraphs = {text_of(run, "state_message")},
      .table = {.head = {"what", "value"},
                .rows = {{"run", text_of(run, "run")},
                         {"plan", joined({text_of(plan, "name"), text_of(plan, "title")}, ": ")},
                         {"digest of the plan", text_of(plan, "digest")},
                         {"target", text_of(run, "target")},
                         {"state", text_of(run, "state")},
                         {"made",
                          joined({text_of(run, "created_at"), text_of(run, "created_by")}, " by ")},
                         {"note", text_of(run, "note")},
                         {"begun", began},
                         {"in this state since", ended},
                         {"from its begin to this state", how_long(began, ended)},
                         {"events", text_of(run, "revision")},
                         {"last hash of its events",
                          evidence.events.empty() ? "" : evidence.events.back().hash}}},
      .preformatted = {}};
}

ReportSection about_steps(Json const& run) {
  ReportSection section{
      .title = "Phases and steps",
      .paragraphs = {},
      .table = {.head = {"phase", "step", "state", "attempts", "took"}, .rows = {}},
      .preformatted = {}};
  for (auto const& phase : child(run, "phases")) {
    auto const approvals = child(phase, "approvals");
    std::vector<std::string> signers;
    for (auto const& by : child(approvals, "by")) {
      signers.push_back(by.is_string() ? by.get<std::string>() : "");
    }
    section.table.rows.push_back({text_of(phase, "name") + " (" + text_of(phase, "kind") + ")", "",
                                  text_of(phase, "state"), "",
                                  signers.empty() ? "" : "approved by " + joined(signers, ", ")});
    for (auto const& step : child(phase, "steps")) {
      auto const took = text_of(step, "duration_ms");
      section.table.rows.push_back({"", text_of(step, "name"), text_of(step, "state"),
                                    text_of(step, "attempts"), took.empty() ? "" : took + " ms"});
    }
  }
  return section;
}

void add_check(ReportTable& table, std::string const& phase, Json const& check) {
  table.rows.push_back({phase, text_of(check, "stage"), text_of(check, "name"),
                        text_of(check, "result"), text_of(check, "expected"),
                        text_of(check, "actual"), text_of(check, "at")});
}

ReportSection about_checks(Json const& run) {
  ReportSection section{
      .title = "What the checks saw",
      .paragraphs = {"Of each check its last judgement. Earlier ones are among the events."},
      .table = {.head = {"phase", "stage", "check", "result", "expected", "actual", "when"},
                .rows = {}},
      .preformatted = {}};
  for (auto const& phase : child(run, "phases")) {
    for (auto const& check : child(phase, "checks")) {
      add_check(section.table, text_of(phase, "name"), check);
    }
  }
  for (auto const& check : child(run, "final_checks")) {
    add_check(section.table, "", check);
  }
  for (auto const& [name, value] : child(run, "baselines").items()) {
    section.table.rows.push_back({"", "baseline", name, "recorded", "",
                                  value.is_string() ? value.get<std::string>() : spelled(value),
                                  ""});
  }
  return section;
}

std::string standing_words(Json const& entry) {
  auto const before = text_of(child(entry, "before"), "state");
  auto const after = text_of(child(entry, "after"), "state");
  return before == after ? after : joined({before, after}, " to ");
}

ReportSection about_people(RunEvidence const& evidence) {
  ReportSection section{
      .title = "Who asked for what",
      .paragraphs = {"Every request that wanted a change of this run, allowed or not, as the audit "
                     "holds it."},
      .table = {.head = {"entry", "time", "who", "from", "asked for", "outcome", "state", "why",
                         "hash"},
                .rows = {}},
      .preformatted = {}};
  for (auto const& row : evidence.audit) {
    auto const entry = Json::parse(row.text, nullptr, false);
    auto const proven = entry.is_object() && entry.value("proven", true);
    section.table.rows.push_back(
        {std::to_string(row.seq), text_of(entry, "time"),
         joined({text_of(entry, "actor"), text_of(entry, "roles")}, ", ") +
             (proven ? "" : " (not proven)"),
         joined({text_of(entry, "source"), text_of(entry, "auth")}, ", "),
         joined({text_of(entry, "action"), text_of(entry, "phase"), text_of(entry, "step")}, " "),
         joined({text_of(entry, "outcome"), text_of(entry, "problem"),
                 text_of(entry, "late").empty() ? "" : "late"},
                ", "),
         standing_words(entry), text_of(entry, "reason"), row.hash});
  }
  return section;
}

ReportSection about_events(RunEvidence const& evidence) {
  ReportSection section{
      .title = "What happened",
      .paragraphs = {},
      .table = {.head = {"event", "time", "who", "kind", "what", "why", "hash"}, .rows = {}},
      .preformatted = {}};
  for (auto const& [json, hash] : evidence.events) {
    auto const event = Json::parse(json, nullptr, false);
    section.table.rows.push_back({text_of(event, "seq"), text_of(event, "time"),
                                  or_daemon(text_of(event, "actor")), text_of(event, "kind"),
                                  text_of(event, "message"), text_of(event, "reason"), hash});
  }
  return section;
}

ReportSection about_proof(RunEvidence const& evidence) {
  return {.title = "How to check this",
          .paragraphs = {"The hash of each event and of each audit entry covers the one before it. "
                         "The audit entries above hold the hash of the run's last event at their "
                         "time, and the checkpoint below is signed over all of the audit up to it.",
                         "On any machine: runbookctl audit export --to FILE, then "
                         "runbookd-audit-verify FILE --checkpoint CHECKPOINT --key KEY, with the "
                         "text and the key below.",
                         "Key: " + evidence.key},
          .table = {},
          .preformatted = evidence.checkpoint};
}

}  // namespace

std::string report_json(RunEvidence const& evidence) {
  Json report = {{"report", 1},
                 {"made_at", planner::to_rfc3339(evidence.made)},
                 {"run", Json::parse(evidence.snapshot, nullptr, false)},
                 {"plan", evidence.plan},
                 {"events", Json::array()},
                 {"audit", Json::array()}};
  for (auto const& [json, hash] : evidence.events) {
    auto event = Json::parse(json, nullptr, false);
    event["hash"] = hash;
    report["events"].push_back(std::move(event));
  }
  for (auto const& row : evidence.audit) {
    report["audit"].push_back({{"hash", row.hash}, {"entry", row.text}});
  }
  report["key"] = evidence.key;
  report["checkpoint"] = evidence.checkpoint;
  return spelled(report);
}

Report report_of(RunEvidence const& evidence) {
  auto const run = Json::parse(evidence.snapshot, nullptr, false);
  auto plan = Json::parse(evidence.plan, nullptr, false)
                  .dump(2, ' ', false, Json::error_handler_t::replace);
  ReportSection const whole_plan{
      .title = "The plan",
      .paragraphs = {"Its digest is the SHA-256 of the canonical form; here it stands indented."},
      .table = {},
      .preformatted = std::move(plan)};
  return {.title = "Evidence of run " + text_of(run, "run"),
          .sections = {about_run(run, evidence), about_steps(run), about_checks(run),
                       about_people(evidence), about_events(evidence), whole_plan,
                       about_proof(evidence)}};
}

}  // namespace runbookd::daemon
