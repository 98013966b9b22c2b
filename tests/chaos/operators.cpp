#include "tests/chaos/operators.h"

#include <array>
#include <chrono>

namespace runbookd::chaos {

using nlohmann::json;
using planner::EventSeq;

namespace {

planner::Moment now() {
  return std::chrono::time_point_cast<planner::Duration>(std::chrono::system_clock::now());
}

EventSeq etag_of(testing::Reply const& reply) {
  auto const found = reply.headers.find("etag");
  return found == reply.headers.end() ? 0 : std::stoll(found->second.substr(1));
}

template <std::size_t Size>
std::string one_of(std::array<char const*, Size> const& all, std::mt19937& chance) {
  return all[static_cast<std::size_t>(below(chance, Size))];
}

}  // namespace

Wish next_wish(json const& run) {
  auto const state = run.at("state").get<std::string>();
  if (state == "pending") {
    return {.verb = "start"};
  }
  if (state == "paused") {
    return {.verb = "resume"};
  }
  if (state == "failed") {
    bool const check = !run.at("actions").at("retry").at("allowed").get<bool>();
    return {.verb = check ? "evaluate" : "retry"};
  }
  if (state != "waiting" || run.at("waiting_on").empty()) {
    return {};
  }
  auto const& wait = run.at("waiting_on").at(0);
  auto const kind = wait.at("kind").get<std::string>();
  if (kind == "manual") {
    auto const& at = run.at("current");
    return {.verb = "confirm",
            .body = {{"step",
                      at.at("phase").get<std::string>() + "/" + at.at("step").get<std::string>()}}};
  }
  if (kind == "approval") {
    return {.verb = "approve", .body = {{"phase", wait.at("phase")}}};
  }
  return wait.contains("phase") ? Wish{.verb = "advance", .body = {{"to_phase", wait.at("phase")}}}
                                : Wish{};
}

Operators::Operators(testing::RunningDaemon const& daemon, RandomPlan const& plan, std::string run)
    : daemon_(daemon), plan_(plan), run_(std::move(run)) {}

std::optional<json> Operators::look() {
  try {
    auto const asked = now();
    auto const reply = daemon_.get("/api/v1/runs/" + run_);
    if (reply.status != 200) {
      throw std::logic_error("the run is not shown: " + reply.body.dump());
    }
    history_.add(
        {.revision = etag_of(reply), .asked = asked, .answered = now(), .document = reply.body});
    return reply.body;
  } catch (std::logic_error const&) {
    throw;
  } catch (std::exception const&) {
    return std::nullopt;  // it died
  }
}

int Operators::ask(Wish const& wish, std::mt19937& chance) {
  auto const before = look();
  if (!before || wish.verb.empty()) {
    return 0;
  }
  Exchange one{.verb = wish.verb, .body = wish.body.dump()};
  bool const by_creator = wish.verb == "approve" && one_in(chance, 6);
  one.actor = by_creator ? "ana" : "op" + std::to_string(++asked_);
  one.seen_before = before->at("revision");
  std::string header;
  if (one_in(chance, 2)) {
    one.if_match = one.seen_before - (one_in(chance, 8) ? 1 : 0);
    header = "If-Match: \"" + std::to_string(*one.if_match) + "\"\r\n";
  }
  one.sent = now();
  try {
    auto const reply =
        daemon_.post("/api/v1/runs/" + run_ + "/" + wish.verb, wish.body, one.actor, header);
    one.answered = now();
    one.status = reply.status;
    one.answer = reply.body;
    one.revision = etag_of(reply);
  } catch (std::exception const&) {
    one.answered = now();  // whether it was carried out only the journal knows
  }
  if (one.accepted()) {
    history_.add(Shown{.revision = one.revision,
                       .asked = one.sent,
                       .answered = one.answered,
                       .document = one.answer});
  }
  if (auto const after = look()) {
    one.seen_after = after->at("revision").get<EventSeq>();
  }
  history_.add(one);
  return one.status;
}

void Operators::ask_anything(std::mt19937& chance) {
  auto const run = look();
  if (!run) {
    return;
  }
  auto wish = one_in(chance, 3) ? any(chance) : leading_on(*run, chance);
  if (!wish.verb.empty() && one_in(chance, 2)) {
    wish.body["reason"] = "because";
  }
  ask(wish, chance);
}

Wish Operators::leading_on(json const& run, std::mt19937& chance) const {
  auto wish = next_wish(run);
  bool const moves = wish.verb.empty();
  if (moves && one_in(chance, 3)) {
    return {.verb = "pause", .body = {{"mode", one_in(chance, 2) ? "now" : "safe_point"}}};
  }
  if (!moves && one_in(chance, 5)) {
    return {.verb = "rollback",
            .body = {{"to", one_of(std::array{"last", "all", "p0", "p1"}, chance)}}};
  }
  return wish;
}

Wish Operators::any(std::mt19937& chance) const {
  auto const step = json{{"step", any_label(chance)}};
  auto const phase = json{{"phase", any_phase(chance)}};
  switch (below(chance, 14)) {
    case 0:
      return {.verb = "start"};
    case 1:
      return {.verb = "advance", .body = {{"to_phase", any_phase(chance)}}};
    case 2:
      return {.verb = "approve", .body = phase};
    case 3:
      return {.verb = "reject", .body = phase};
    case 4:
      return {.verb = "evaluate"};
    case 5:
      return {.verb = "confirm", .body = step};
    case 6:
      return {.verb = "pause", .body = {{"escalate_after", "20ms"}}};
    case 7:
      return {.verb = "resume"};
    case 8:
      return {.verb = "retry", .body = one_in(chance, 2) ? step : json::object()};
    case 9:
      return {.verb = "skip", .body = step};
    case 10:
      return {.verb = "resolve",
              .body = {{"step", any_label(chance)}, {"as", "failed"}, {"evidence", "none"}}};
    case 11:
      return {.verb = "rollback", .body = {{"to", any_label(chance)}}};
    case 12:
      return {.verb = "cancel",
              .body = one_in(chance, 6) ? json{{"confirm", "random"}} : json{{"confirm", "other"}}};
    default:
      return {.verb = "advance", .body = {{"phase", "a key that is none"}}};
  }
}

std::string Operators::any_label(std::mt19937& chance) const {
  auto at = plan_.kinds.begin();
  std::advance(at, below(chance, static_cast<int>(plan_.kinds.size())));
  return one_in(chance, 10) ? "p0/nowhere" : at->first;
}

std::string Operators::any_phase(std::mt19937& chance) const {
  return "p" + std::to_string(below(chance, 4));
}

}  // namespace runbookd::chaos
