#include "web/body.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/time.h"
#include "web/body_guard.h"
#include "web/body_object.h"
#include "web/body_parts.h"
#include "web/target.h"

namespace runbookd::web {

using nlohmann::json;
using planner::Ask;
using planner::Command;
using planner::Error;
using planner::ErrorCode;
using planner::Finding;
using planner::Findings;
using planner::Result;
using planner::RollBack;

namespace {

// The whole body has a limit already.
constexpr std::size_t any_length = std::string::npos;

Ask read_start(Body& body) {
  auto object = body.object({"acknowledge", "take_over", "reason"});
  planner::Start start;
  auto const* list = object.find("acknowledge");
  if (list == nullptr) {
    return start;
  }
  if (!list->is_array()) {
    object.complain_of_type("acknowledge", "an array");
    return start;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto const pointer = pointer_to("#/acknowledge", std::to_string(i));
    BodyObject item((*list)[i], pointer, body.problems, {"rule", "reason"});
    start.acknowledged.push_back(
        {.rule = item.needed("rule"), .reason = item.needed("reason", longest_text)});
  }
  return start;
}

Ask read_advance(Body& body) {
  auto object = body.object({"to_phase", "confirm", "reason"});
  return planner::Advance{.to_phase = object.needed("to_phase"),
                          .confirm = object.text("confirm", longest_name)};
}

Ask read_approve(Body& body) {
  auto object = body.object({"phase", "gate", "reason"});
  planner::Approve approve{.phase = object.needed("phase"), .gate = {}};
  if (auto const* gate = object.find("gate"); gate != nullptr && !gate->is_number_unsigned()) {
    object.complain_of_type("gate", "the number of the gate's opening, as the run tells it");
  } else if (gate != nullptr) {
    approve.gate = static_cast<int>(std::min<std::uint64_t>(gate->get<std::uint64_t>(), INT_MAX));
  }
  return approve;
}

Ask read_reject(Body& body) {
  return planner::Reject{.phase = body.object({"phase", "reason"}).needed("phase")};
}

Ask read_withdraw(Body& body) {
  return planner::Withdraw{.phase = body.object({"phase", "reason"}).needed("phase")};
}

Ask read_override(Body& body) {
  auto object = body.object({"phase", "confirm", "reason"});
  return planner::Override{.phase = object.needed("phase"),
                           .confirm = object.text("confirm", longest_name)};
}

Ask read_countersign(Body& body) {
  return planner::Countersign{.phase = body.object({"phase", "reason"}).needed("phase")};
}

Ask read_evaluate(Body& body) {
  body.object({"reason"});
  return planner::Evaluate{};
}

Ask read_confirm(Body& body) {
  return planner::Confirm{.step = body.object({"step", "reason"}).needed("step")};
}

Ask read_pause(Body& body) {
  auto object = body.object({"mode", "escalate_after", "reason"});
  planner::Pause pause;
  auto const mode = object.text("mode", longest_name);
  if (mode == "now") {
    pause.mode = planner::StopMode::now;
  } else if (mode != "safe_point" && object.find("mode") != nullptr) {
    object.complain("mode", "body/value", "this must be \"safe_point\" or \"now\"");
  }
  if (object.find("escalate_after") != nullptr) {
    pause.escalate_after = planner::parse_duration(object.text("escalate_after", longest_name));
    if (!pause.escalate_after) {
      object.complain("escalate_after", "body/value",
                      "this must be a duration with its unit, such as \"30s\" or \"2m\"");
    }
  }
  return pause;
}

// One of four wishes; a share of full speed is rounded to hundredths.
Ask read_throttle(Body& body) {
  auto object = body.object({"ratio", "stop", "exempt", "off", "for", "reason"});
  using To = planner::Throttle::To;
  planner::Throttle throttle;
  int said = 0;
  auto const flag = [&](char const* key, To to) {
    auto const* found = object.find(key);
    if (found == nullptr) {
      return;
    }
    if (!found->is_boolean()) {
      object.complain_of_type(key, "true or false");
    } else if (found->get<bool>()) {
      throttle.to = to;
      ++said;
    }
  };
  flag("stop", To::stop);
  flag("exempt", To::exempt);
  flag("off", To::off);
  if (auto const* ratio = object.find("ratio"); ratio != nullptr) {
    auto const share = ratio->is_number() ? ratio->get<double>() : 0;
    throttle.to = To::ratio;
    throttle.percent = share > 0 && share < 1 ? static_cast<int>(std::lround(share * 100)) : 0;
    ++said;
    if (throttle.percent < 1 || throttle.percent > 99) {
      object.complain("ratio", "body/value",
                      "this must be a number from 0.01 to 0.99, a share of full speed; to stand "
                      "still say \"stop\": true, to be as fast as before \"off\": true");
    }
  }
  if (said != 1) {
    object.complain("ratio", "body/value",
                    "say one of \"ratio\": 0.3, \"stop\": true, \"exempt\": true and \"off\": "
                    "true");
  }
  if (object.find("for") != nullptr) {
    throttle.lasts = planner::parse_duration(object.text("for", longest_name));
    bool const sensible = throttle.lasts && *throttle.lasts > planner::Duration{} &&
                          *throttle.lasts <= std::chrono::days{365} && throttle.to != To::off;
    if (!sensible) {
      object.complain("for", "body/value",
                      "this must be a duration with its unit, such as \"10m\" or \"2h\", for "
                      "anything but \"off\"");
    }
  }
  return throttle;
}

Ask read_resume(Body& body) {
  body.object({"take_over", "reason"});
  return planner::Resume{};
}

Ask read_retry(Body& body) {
  return planner::Retry{
      .step = body.object({"step", "take_over", "reason"}).text("step", longest_name)};
}

Ask read_skip(Body& body) {
  return planner::Skip{.step = body.object({"step", "reason"}).needed("step")};
}

Ask read_resolve(Body& body) {
  auto object = body.object({"step", "as", "evidence", "reason"});
  auto const as = object.needed("as");
  if (!as.empty() && as != "succeeded" && as != "failed") {
    object.complain("as", "body/value", "this must be \"succeeded\" or \"failed\"");
  }
  return planner::Resolve{.step = object.needed("step"),
                          .succeeded = as == "succeeded",
                          .evidence = object.needed("evidence", longest_text)};
}

Ask read_rollback(Body& body) {
  auto object = body.object({"to", "take_over", "reason"});
  auto const to = object.needed("to");
  auto extent = read_extent(to);
  if (!extent && !to.empty()) {
    object.complain("to", "body/value", extent.error().detail);
  }
  return extent.value_or(RollBack{});
}

Ask read_cancel(Body& body) {
  return planner::Cancel{.confirm =
                             body.object({"confirm", "reason"}).text("confirm", longest_name)};
}

struct Reader {
  std::string_view verb;
  Ask (*read)(Body&);
};
constexpr Reader readers[] = {
    {"start", read_start},       {"advance", read_advance},         {"approve", read_approve},
    {"reject", read_reject},     {"evaluate", read_evaluate},       {"confirm", read_confirm},
    {"pause", read_pause},       {"resume", read_resume},           {"retry", read_retry},
    {"skip", read_skip},         {"resolve", read_resolve},         {"rollback", read_rollback},
    {"cancel", read_cancel},     {"throttle", read_throttle},       {"withdraw", read_withdraw},
    {"override", read_override}, {"countersign", read_countersign},
};

Reader const& reader_of(std::string_view verb) {
  for (auto const& reader : readers) {
    if (reader.verb == verb) {
      return reader;
    }
  }
  throw std::logic_error("no body is known for the verb " + std::string(verb));
}

// The files of a bundle, by the path that the plan gives them.
std::map<std::string, std::string> read_files(Body& body, BodyObject& object) {
  std::map<std::string, std::string> files;
  auto const* found = object.find("files");
  if (found == nullptr) {
    return files;
  }
  if (!found->is_object()) {
    object.complain_of_type("files", "an object");
    return files;
  }
  for (auto const& [path, content] : found->items()) {
    files[path] = text_of(content, pointer_to("#/files", path), any_length, body.problems);
  }
  return files;
}

// Stops at the first text below the top level's `key`.
class TopLevelText : public nlohmann::json_sax<json> {
 public:
  explicit TopLevelText(std::string_view key) : wanted_(key) {}
  std::string found;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, string_t const&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool start_array(std::size_t) override { return ++depth_ > 0; }
  bool end_object() override { return --depth_ >= 0; }
  bool end_array() override { return --depth_ >= 0; }
  bool key(string_t& name) override {
    here_ = depth_ == 1 && name == wanted_;
    return true;
  }
  bool string(string_t& text) override {
    if (here_ && depth_ == 1) {
      found = text;
      return false;
    }
    return true;
  }
  bool parse_error(std::size_t, std::string const&, nlohmann::json::exception const&) override {
    return false;
  }

 private:
  std::string_view wanted_;
  int depth_ = 0;
  bool here_ = false;
};

}  // namespace

Result<Command> read_command(std::string_view verb, std::string_view text) {
  auto const& reader = reader_of(verb);
  auto body = parsed(text);
  if (!body) {
    return tl::unexpected(body.error());
  }
  Command command{.ask = reader.read(*body)};
  if (body->value.is_object() && body->value.contains("reason")) {
    command.reason = text_of(body->value["reason"], "#/reason", longest_text, body->problems);
  }
  if (body->value.is_object() && body->value.contains("take_over")) {
    auto const& said = body->value["take_over"];
    if (!said.is_boolean()) {
      BodyObject(body->value, "#", body->problems, {"take_over"})
          .complain_of_type("take_over", "true or false");
    }
    command.take_over = said.is_boolean() && said.get<bool>();
  }
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return command;
}

Result<RunRequest> read_run_request(std::string_view text) {
  auto body = parsed(text);
  if (!body) {
    return tl::unexpected(body.error());
  }
  auto object = body->object({"plan", "target", "note"});
  RunRequest request{.plan = object.needed("plan"),
                     .target = object.needed("target"),
                     .note = object.text("note")};
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return request;
}

Result<PlanUpload> read_bundle(std::string_view text) {
  auto body = parsed(text);
  if (!body) {
    return tl::unexpected(body.error());
  }
  auto object = body->object({"file_name", "text", "files"});
  PlanUpload upload{.text = object.needed("text", any_length),
                    .file_name = object.text("file_name", longest_name),
                    .files = read_files(*body, object)};
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return upload;
}

Result<RollBack> read_extent(std::string_view to) {
  if (to == "all") {
    return RollBack{.extent = RollBack::Extent::all};
  }
  if (to == "last") {
    return RollBack{.extent = RollBack::Extent::last_step};
  }
  auto const slash = to.find('/');
  if (to.empty() || !is_plain_text(to) || slash == 0 || slash == to.size() - 1) {
    return tl::unexpected(
        Error{.code = ErrorCode::malformed,
              .detail = "how far to go back is said by \"last\", \"all\", a phase's name, or "
                        "\"phase/step\""});
  }
  auto const extent =
      slash == std::string_view::npos ? RollBack::Extent::to_phase : RollBack::Extent::to_step;
  return RollBack{.extent = extent, .to = std::string(to)};
}

std::string top_level_text(std::string_view document, std::string_view key) {
  TopLevelText reader(key);
  json::sax_parse(document, &reader);
  return std::move(reader.found);
}

}  // namespace runbookd::web
