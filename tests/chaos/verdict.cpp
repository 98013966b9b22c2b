#include "tests/chaos/verdict.h"

#include "planner/machine.h"
#include "planner/plan_reader.h"
#include "store/store.h"
#include "tests/chaos/effects.h"

namespace runbookd::chaos {
namespace {

std::string joined(std::vector<std::string> const& lines) {
  std::string text;
  for (auto const& line : lines) {
    text += "  " + line + '\n';
  }
  return text;
}

std::string text_of(Record const& record) {
  std::string text;
  for (std::size_t i = 0; i < record.events.size(); ++i) {
    auto const& event = record.events[i];
    text += "  " + std::to_string(i + 1) + ' ' + std::string(kind_of(event.body)) + ' ' +
            event.actor + " -> " + std::string(to_text(record.states[i + 1].mode)) + '\n';
  }
  return text;
}
std::string text_of(Heard const& heard) {
  std::vector<std::string> lines;
  for (auto const& one : heard.exchanges) {
    lines.push_back(to_text(one));
  }
  return joined(lines);
}

void expect_in_order(std::string const& store) {
  auto const checked = testing::run_program({testing::runbookd_program(), "store", "check", store});
  if (checked.exit_code != 0) {
    throw Violation("store check: " + checked.out + checked.err);
  }
}

// The events as the daemon tells them are those of the journal.
std::vector<std::string> wrong_lines(Record const& record, std::vector<json> const& lines) {
  std::vector<std::string> wrong;
  if (std::ssize(lines) != record.revision()) {
    wrong.push_back(std::to_string(lines.size()) + " events were shown, the journal has " +
                    std::to_string(record.revision()));
  }
  for (std::size_t i = 0; i < std::min(lines.size(), record.events.size()); ++i) {
    auto const seq = static_cast<planner::EventSeq>(i) + 1;
    auto const line =
        json::parse(planner::event_json(record.plan, record.run, seq, record.events[i]));
    if (line != lines[i]) {
      wrong.push_back("event " + std::to_string(seq) + " is shown as " + lines[i].dump());
    }
  }
  return wrong;
}

}  // namespace

Record read_record(std::string const& path, std::string const& run) {
  expect_in_order(path);
  auto store = store::Store::open({.path = path});
  if (!store) {
    throw Violation("the store cannot be opened: " + store.error().detail);
  }
  auto const stored = (*store)->journal().history({run});
  auto const summary = (*store)->journal().find({run});
  if (!stored || !summary) {
    throw Violation("the run is not in the store");
  }
  planner::Events events;
  for (auto const& one : *stored) {
    events.push_back(one.event);
  }
  auto const plan = (*store)->plans().find(summary->plan);
  return {{run}, *planner::read_plan(plan->canonical, "canonical").plan, std::move(events)};
}

void judge(Record const& record, Heard const& heard, std::vector<json> const& lines,
           RandomPlan const& plan, Site const& site) {
  std::vector<std::string> wrong;
  for (auto const& found : {unforeseen_events(record, heard), wrong_answers(record, heard),
                            wrong_documents(record, heard), wrong_effects(record, plan, site),
                            wrong_lines(record, lines)}) {
    wrong.insert(wrong.end(), found.begin(), found.end());
  }
  if (!wrong.empty()) {
    throw Violation(joined(wrong) + "record:\n" + text_of(record) + "asked:\n" + text_of(heard));
  }
}

}  // namespace runbookd::chaos
