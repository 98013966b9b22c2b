#include "planner/plan_diff.h"

#include <algorithm>
#include <array>
#include <set>

#include "planner/plan_reader.h"
#include "planner/yaml_text.h"

namespace runbookd::planner {
namespace {

using Kind = PlanChange::Kind;
using Lines = std::vector<std::string>;

Lines lines_of(std::string const& text) {
  Lines lines;
  for (std::size_t start = 0; start <= text.size();) {
    auto const end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string shown(Draft const& value) {
  return value.is_string() ? value.get<std::string>() : yaml_line(value);
}

// Lists whose entries have names: what each is called.
struct Part {
  char const* key;
  char const* word;
};
constexpr std::array phase_parts{Part{"requires", "requirement"}, Part{"steps", "step"},
                                 Part{"validate", "check"}, Part{"watch", "watch"}};

bool is_part(std::string const& key) {
  return std::ranges::any_of(phase_parts, [&](Part const& part) { return key == part.key; });
}

bool has_named_entries(std::string const& key) { return key == "phases" || key == "final_checks"; }
bool nothing(std::string const&) { return false; }
using Skip = bool (*)(std::string const& key);  // keys that are compared in another way

struct StepAt {
  std::string name, phase;
  Draft const* step = nullptr;
};

class Comparison {
 public:
  Comparison(Draft const& before, Draft const& after) : before_(before), after_(after) {}

  std::vector<PlanChange> changes() && {
    compare_keys("plan", "", before_, after_, has_named_entries);
    compare_phases();
    compare_named("final check", "", before_["final_checks"], after_["final_checks"]);
    return std::move(changes_);
  }

 private:
  void put(Kind kind, std::string place, std::string key, std::vector<DiffLine> lines) {
    changes_.push_back({.kind = kind,
                        .place = std::move(place),
                        .key = std::move(key),
                        .lines = std::move(lines)});
  }

  // Mappings are compared key by key, all else as a whole.
  void compare_keys(std::string const& place, std::string const& prefix, Draft const& before,
                    Draft const& after, Skip skip) {
    std::set<std::string> keys;
    for (auto const* side : {&before, &after}) {
      for (auto const& [key, value] : side->items()) {
        keys.insert(key);
      }
    }
    for (auto const& key : keys) {
      Draft const missing;
      auto const& left = before.contains(key) ? before[key] : missing;
      auto const& right = after.contains(key) ? after[key] : missing;
      if (left == right || skip(key)) {
        continue;
      }
      if (left.is_object() && right.is_object()) {
        compare_keys(place, prefix + key + ".", left, right, nothing);
      } else {
        put(Kind::changed, place, prefix + key, compared(left, right));
      }
    }
  }

  static std::vector<DiffLine> compared(Draft const& before, Draft const& after) {
    if (before.is_array() && after.is_array()) {
      return diff_lines(entries(before), entries(after));
    }
    if (before.is_null() || after.is_null()) {
      auto const& there = before.is_null() ? after : before;
      std::vector<DiffLine> lines;
      for (auto const& line : lines_of(shown(there))) {
        lines.push_back({before.is_null() ? '+' : '-', line});
      }
      return lines;
    }
    return diff_lines(shown(before), shown(after));
  }

  static std::string entries(Draft const& list) {
    std::string text;
    for (auto const& entry : list) {
      text += (text.empty() ? "" : "\n") + yaml_line(entry);
    }
    return text;
  }

  static std::string name_of(Draft const& entry) { return entry.at("name").get<std::string>(); }

  static Draft const* named(Draft const& list, std::string const& name) {
    for (auto const& entry : list) {
      if (name_of(entry) == name) {
        return &entry;
      }
    }
    return nullptr;
  }

  static Lines names_of(Draft const& list) {
    Lines names;
    for (auto const& entry : list) {
      names.push_back(name_of(entry));
    }
    return names;
  }

  static std::string place_of(std::string const& word, std::string const& phase,
                              std::string const& name) {
    return word + " " + (phase.empty() ? "" : phase + "/") + name;
  }

  std::vector<DiffLine> whole(Draft const& entry, char sign) const {
    std::vector<DiffLine> lines;
    for (auto const* key : {"sql", "backfill", "manual", "wait"}) {
      if (entry.contains(key)) {
        for (auto const& line : lines_of(shown(entry[key]))) {
          lines.push_back({sign, line});
        }
      }
    }
    return lines;
  }

  void compare_named(std::string const& word, std::string const& phase, Draft const& before,
                     Draft const& after) {
    for (auto const& name : names_of(before)) {
      if (named(after, name) == nullptr && !moved_.contains(place_of(word, "", name))) {
        put(Kind::removed, place_of(word, phase, name), "", whole(*named(before, name), '-'));
      }
    }
    for (auto const& name : names_of(after)) {
      auto const* left = named(before, name);
      auto const& right = *named(after, name);
      if (left == nullptr && !moved_.contains(place_of(word, "", name))) {
        put(Kind::added, place_of(word, phase, name), "", whole(right, '+'));
      } else if (left != nullptr) {
        compare_keys(place_of(word, phase, name), "", *left, right, nothing);
      }
    }
    compare_order(word, phase, before, after);
  }

  // The names that both have, in another order.
  void compare_order(std::string const& word, std::string const& phase, Draft const& before,
                     Draft const& after) {
    auto left = names_of(before);
    auto right = names_of(after);
    std::erase_if(left, [&](auto const& name) { return named(after, name) == nullptr; });
    std::erase_if(right, [&](auto const& name) { return named(before, name) == nullptr; });
    if (left != right) {
      auto const text = [](Lines const& names) {
        std::string all;
        for (auto const& name : names) {
          all += (all.empty() ? "" : "\n") + name;
        }
        return all;
      };
      auto const place = phase.empty() ? word + "s" : word + "s of " + phase;
      put(Kind::moved, place, "order", diff_lines(text(left), text(right)));
    }
  }

  static std::vector<StepAt> steps_of(Draft const& plan) {
    std::vector<StepAt> steps;
    for (auto const& phase : plan["phases"]) {
      for (auto const& step : phase["steps"]) {
        steps.push_back({.name = name_of(step), .phase = name_of(phase), .step = &step});
      }
    }
    return steps;
  }

  // A step of the same name in another phase has moved there.
  void compare_moved_steps() {
    auto const before = steps_of(before_);
    auto const after = steps_of(after_);
    for (auto const& now : after) {
      auto const same = [&](StepAt const& other) { return other.name == now.name; };
      auto const then = std::ranges::find_if(before, same);
      bool const one =
          std::ranges::count_if(before, same) == 1 && std::ranges::count_if(after, same) == 1;
      if (!one || then->phase == now.phase) {
        continue;  // where several phases have a step of that name, none of them has moved
      }
      moved_.insert(place_of("step", "", now.name));
      auto const place = place_of("step", now.phase, now.name);
      put(Kind::moved, place, "phase", {{'-', then->phase}, {'+', now.phase}});
      compare_keys(place, "", *then->step, *now.step, nothing);
    }
  }

  void compare_phases() {
    compare_moved_steps();
    auto const& before = before_["phases"];
    auto const& after = after_["phases"];
    for (auto const& name : names_of(before)) {
      if (named(after, name) == nullptr) {
        put(Kind::removed, "phase " + name, "", {});
        compare_parts(name, *named(before, name), {});
      }
    }
    for (auto const& name : names_of(after)) {
      auto const* left = named(before, name);
      auto const& right = *named(after, name);
      if (left == nullptr) {
        put(Kind::added, "phase " + name, "", {});
      } else {
        compare_keys("phase " + name, "", *left, right, is_part);
      }
      compare_parts(name, left == nullptr ? Draft() : *left, right);
    }
    compare_order("phase", "", before, after);
  }

  void compare_parts(std::string const& phase, Draft const& before, Draft const& after) {
    Draft const none = Draft::array();
    for (Part const& part : phase_parts) {
      compare_named(part.word, phase, before.contains(part.key) ? before[part.key] : none,
                    after.contains(part.key) ? after[part.key] : none);
    }
  }

  Draft const& before_;
  Draft const& after_;
  std::set<std::string> moved_;
  std::vector<PlanChange> changes_;
};

}  // namespace

std::string_view to_text(PlanChange::Kind kind) {
  switch (kind) {
    case Kind::added:
      return "added";
    case Kind::removed:
      return "removed";
    case Kind::moved:
      return "moved";
    case Kind::changed:
      return "changed";
  }
  __builtin_unreachable();
}

std::vector<DiffLine> diff_lines(std::string const& before, std::string const& after) {
  auto const left = lines_of(before);
  auto const right = lines_of(after);
  auto const width = right.size() + 1;
  constexpr std::size_t largest_table = 4'000'000;
  std::vector<DiffLine> lines;
  if ((left.size() + 1) * width > largest_table) {  // two scripts of thousands of lines
    for (auto const& line : left) {
      lines.push_back({'-', line});
    }
    for (auto const& line : right) {
      lines.push_back({'+', line});
    }
    return lines;
  }
  // The length of what two ends have in common.
  std::vector<std::size_t> common((left.size() + 1) * width, 0);
  for (auto i = left.size(); i-- > 0;) {
    for (auto j = right.size(); j-- > 0;) {
      common[i * width + j] =
          left[i] == right[j] ? common[(i + 1) * width + j + 1] + 1
                              : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    if (i < left.size() && j < right.size() && left[i] == right[j]) {
      lines.push_back({' ', left[i]});
      ++i;
      ++j;
    } else if (j == right.size() ||
               (i < left.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      lines.push_back({'-', left[i++]});
    } else {
      lines.push_back({'+', right[j++]});
    }
  }
  return lines;
}

std::string to_json(PlanChange const& change) {
  auto lines = Draft::array();
  for (auto const& line : change.lines) {
    lines.push_back(std::string(1, line.sign) + line.text);
  }
  return Draft{{"change", to_text(change.kind)},
               {"place", change.place},
               {"key", change.key},
               {"lines", std::move(lines)}}
      .dump(-1, ' ', false, Draft::error_handler_t::replace);
}

std::vector<PlanChange> diff(Plan const& before, Plan const& after) {
  auto const left = Draft::parse(canonical_json(before));
  auto const right = Draft::parse(canonical_json(after));
  return Comparison(left, right).changes();
}

}  // namespace runbookd::planner
