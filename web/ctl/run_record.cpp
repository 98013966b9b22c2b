#include "web/ctl/run_record.h"

#include <nlohmann/json.hpp>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::RunRecord;

std::string with(std::string const& before, std::string const& text) {
  return text.empty() ? "" : before + planner::markdown_text(text);
}

std::string took(Json const& object) {
  auto const ms = number_of(object, "duration_ms");
  return ms > 0 ? ", " + short_duration(Duration(ms)) : "";
}

std::string attempt_line(Json const& attempt) {
  auto const number = text_of(attempt, "number");
  std::string text = text_of(attempt, "direction") == "backward" ? "way back" : "forward";
  text += number.empty() ? "" : ", attempt " + number;
  text += ": **" + planner::markdown_text(text_of(attempt, "result")) + "**";
  text += with(", ", text_of(attempt, "started_at")) + took(attempt);
  if (auto const wait = number_of(attempt, "lock_wait_ms"); wait > 0) {
    text += ", of which " + short_duration(Duration(wait)) + " for its locks";
  }
  text += with(", by ", text_of(attempt, "actor")) + with("; ", text_of(attempt, "reason"));
  if (text_of(attempt, "note") != text_of(attempt, "reason")) {
    text += with("; ", text_of(attempt, "note"));
  }
  text += with("; ", text_of(child(attempt, "failure"), "message"));
  return text;
}

std::string check_line(Json const& check) {
  return "**" + text_of(check, "result") + "**" + with(", ", text_of(check, "at")) + took(check) +
         with("; expected ", text_of(check, "expected")) + with(", got ", text_of(check, "actual"));
}

std::string word_of(std::string const& stage) {
  return stage == "requirements"   ? "requirement "
         : stage == "watch"        ? "watch "
         : stage == "final_checks" ? "final check "
                                   : "check ";
}

void put_checks(RunRecord& record, Json const& checks, std::string const& phase) {
  for (auto const& check : checks) {
    if (text_of(check, "result") != "open") {
      record.lines[word_of(text_of(check, "stage")) + phase + text_of(check, "name")].push_back(
          check_line(check));
    }
  }
}

void put_head(RunRecord& record, Json const& snapshot) {
  record.head.push_back("run " + planner::markdown_text(text_of(snapshot, "run")) +
                        with(" on ", text_of(snapshot, "target")) +
                        with(", created by ", text_of(snapshot, "created_by")) +
                        with(" at ", text_of(snapshot, "created_at")));
  record.head.push_back("**" + text_of(snapshot, "state") + "**" +
                        with(" since ", text_of(snapshot, "state_since")) +
                        with(": ", text_of(snapshot, "state_message")));
}

void put_phase(RunRecord& record, Json const& phase) {
  auto const name = text_of(phase, "name");
  auto text = "**" + text_of(phase, "state") + "**";
  std::vector<std::string> signers;
  for (auto const& by : child(child(phase, "approvals"), "by")) {
    signers.push_back(by.is_string() ? by.get<std::string>() : text_of(by, "actor"));
  }
  text += with("; approved by ", joined(signers, ", "));
  record.lines["phase " + name].push_back(text);
  put_checks(record, child(phase, "checks"), name + "/");
}

}  // namespace

RunRecord record_of(Json const& snapshot, std::vector<Json> const& steps) {
  RunRecord record;
  put_head(record, snapshot);
  for (auto const& phase : child(snapshot, "phases")) {
    put_phase(record, phase);
  }
  put_checks(record, child(snapshot, "final_checks"), "");
  auto const& baselines = child(snapshot, "baselines");
  if (baselines.is_object()) {
    for (auto const& [name, value] : baselines.items()) {
      record.lines["baseline " + name].push_back(
          value.is_null() ? "NULL" : planner::markdown_text(text_of(baselines, name.c_str())));
    }
  }
  for (auto const& step : steps) {
    for (auto const& attempt : child(step, "attempts")) {
      record.lines["step " + text_of(step, "label")].push_back(attempt_line(attempt));
    }
  }
  return record;
}

}  // namespace runbookd::ctl
