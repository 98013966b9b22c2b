#include "planner/view_fill.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {

bool is_backfill(Plan const& plan, StepRef ref, Direction direction) {
  return known(plan, ref) &&
         std::holds_alternative<BackfillAction>(action_of(plan, ref, direction));
}

namespace {

bool is_try(Attempt const& attempt) { return attempt.number > 0; }

}  // namespace

std::ptrdiff_t count_of(std::span<Attempt const> tries) {
  return std::ranges::count_if(tries, is_try);
}

std::span<Attempt const> tries_of_late(std::vector<Attempt> const& attempts) {
  auto const last = std::find_if(attempts.rbegin(), attempts.rend(), is_try);
  if (last == attempts.rend()) {
    return {};
  }
  auto const other = std::find_if(last, attempts.rend(), [&](Attempt const& each) {
    return is_try(each) && each.direction != last->direction;
  });
  return {other.base(), last.base()};
}

std::optional<Filled> filled_by(std::span<Attempt const> tries) {
  auto const told = std::find_if(tries.rbegin(), tries.rend(),
                                 [](Attempt const& each) { return each.filled.has_value(); });
  return told == tries.rend() ? std::nullopt : told->filled;
}

std::string progress_words(Filled const& filled) {
  auto const percent = percent_of(filled);
  auto const changed = count_words(filled.changed, "row") + " changed";
  if (percent < 0) {
    return changed;
  }
  auto const tenths = std::llround(std::floor(percent * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %, " + changed;
}

std::string so_far_words(Filled const& filled) {
  return filled.scanned == 0 ? "no batch of it was committed"
                             : "so far " + progress_words(filled) + ", which stay";
}

std::string and_so_far(std::optional<Filled> const& filled) {
  return filled ? "; " + so_far_words(*filled) : "";
}

double percent_of(Filled const& filled) {
  if (filled.total <= 0) {
    return -1;
  }
  auto const share = static_cast<double>(filled.scanned) / static_cast<double>(filled.total);
  return std::floor(std::clamp(share, 0.0, 1.0) * 10'000) / 100;
}

nlohmann::json filled_json(Filled const& filled, bool total_exact) {
  auto const percent = percent_of(filled);
  return {{"rows_scanned", filled.scanned},
          {"rows_changed", filled.changed},
          {"rows_total", filled.total},
          {"total_exact", total_exact},
          {"percent", percent < 0 ? nlohmann::json() : nlohmann::json(percent)}};
}

}  // namespace runbookd::planner::view
