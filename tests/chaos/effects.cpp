#include "tests/chaos/effects.h"

#include <algorithm>

#include "tests/model/properties.h"

namespace runbookd::chaos {

using namespace planner;

namespace {

// Which attempts the target itself says are committed: "p0/s1 f 3".
constexpr auto markers_query = R"sql(
  SELECT coalesce(json_agg(label || ' ' || direction::text || ' ' || attempt), '[]') FROM runbookd.marker
)sql";
constexpr auto effects_query = R"sql(
  SELECT coalesce(json_object_agg(step, n), '{}') FROM (SELECT step, count(*) AS n FROM effect GROUP BY step) e
)sql";
constexpr auto columns_query = R"sql(
  SELECT coalesce(json_agg(attname), '[]') FROM pg_attribute
  WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped
)sql";
constexpr auto indexes_query = R"sql(
  SELECT coalesce(json_object_agg(indexrelid::regclass::text, indisvalid), '{}') FROM pg_index
  WHERE indrelid = 't'::regclass
)sql";

class Effects {
 public:
  Effects(Record const& record, RandomPlan const& plan, Site const& site)
      : record_(record), site_(site), kinds_(plan.kinds), done_(done_on_target(record)) {
    effects_ = read(effects_query);
    columns_ = read(columns_query);
    indexes_ = read(indexes_query);
    bool const prepared = site.sql("SELECT to_regclass('runbookd.marker') IS NOT NULL") == "t";
    markers_ = prepared ? read(markers_query) : json::array();
  }

  std::vector<std::string> judge() {
    auto const& plan = record_.plan;
    for (int p = 0; p < std::ssize(plan.phases); ++p) {
      for (int s = 0; s < std::ssize(plan.phases[p].steps); ++s) {
        look_at({.phase = p, .step = s});
      }
    }
    tests::Node node{.state = record_.states.back(),
                     .world = {.applied = there_, .now = record_.events.back().at}};
    for (auto const& rule : tests::broken_rules(plan, node)) {
      wrong_.push_back("in the end: " + rule);
    }
    for (auto const& [name, valid] : indexes_.items()) {
      bool const settled = valid.get<bool>() || unsettled_.contains(name);
      if (!settled) {
        wrong_.push_back("index " + name + " is invalid and nobody said so");
      }
    }
    return std::move(wrong_);
  }

 private:
  json read(char const* query) const { return json::parse(site_.sql(query)); }

  void look_at(StepRef ref) {
    auto const label = record_.plan.label(ref);
    auto const status = record_.states.back().at(ref).status;
    auto const kind = kinds_.at(label);
    switch (kind) {
      case StepKind::ledger:
      case StepKind::column:
        expect_markers(ref, label);
        expect_count(effect_name(label), count(ref, Direction::forward));
        expect_count("undo " + effect_name(label), count(ref, Direction::backward));
        if (kind == StepKind::column) {
          bool const there = count(ref, Direction::forward) > count(ref, Direction::backward);
          bool const found =
              std::ranges::find(columns_, json(column_name(label))) != columns_.end();
          expect(there == found,
                 "column " + column_name(label) + (found ? " is there" : " is not there"));
        }
        break;
      case StepKind::fill:
        expect_markers(ref, label);
        expect_count("undo " + effect_name(label), count(ref, Direction::backward));
        look_at_fill(label, status);
        break;
      case StepKind::index:
        look_at_index(label, status);
        break;
      case StepKind::by_hand:
      case StepKind::pause:
        return;
    }
    if (is_there(label, kind)) {
      there_.insert(ref);
    }
  }
  void look_at_fill(std::string const& label, StepStatus status) {
    auto const found = site_.sql("SELECT min(v) || ' to ' || max(v) FROM " + fill_table(label));
    if (status == StepStatus::succeeded) {
      expect(found == "1 to 1", fill_table(label) + " is filled, with " + found);
    } else if (status == StepStatus::reverted) {
      expect(found == "0 to 0", fill_table(label) + " is taken back, with " + found);
    } else {
      expect(found == "0 to 0" || found == "0 to 1" || found == "1 to 1",
             fill_table(label) + " has " + found);
    }
  }
  void look_at_index(std::string const& label, StepStatus status) {
    auto const name = index_name(label);
    bool const there = indexes_.contains(name);
    if (status == StepStatus::succeeded) {
      expect(there && indexes_[name], "index " + name + " is missing or invalid");
    } else if (status == StepStatus::reverted ||
               (status == StepStatus::pending &&
                record_.states.back().at(*record_.plan.find_step(label)).attempts == 0)) {
      expect(!there, "index " + name + " is there");
    } else {
      unsettled_.insert(name);
    }
  }
  bool is_there(std::string const& label, StepKind kind) const {
    if (kind == StepKind::fill) {
      return site_.sql("SELECT min(v) = 1 FROM " + fill_table(label)) == "t";
    }
    if (kind == StepKind::index) {
      return indexes_.value(index_name(label), false);
    }
    return effects_.value(effect_name(label), 0) > effects_.value("undo " + effect_name(label), 0);
  }

  std::ptrdiff_t count(StepRef ref, Direction direction) const {
    return std::ranges::count_if(
        done_, [&](Done const& one) { return one.ref == ref && one.direction == direction; });
  }
  void expect_count(std::string const& effect, std::ptrdiff_t wanted) {
    auto const found = effects_.value(effect, 0);
    expect(found == wanted, "effect \"" + effect + "\" is there " + std::to_string(found) +
                                " times, the record says " + std::to_string(wanted));
  }
  void expect_markers(StepRef ref, std::string const& label) {
    for (auto const& one : done_) {
      auto const marker = label + (one.direction == Direction::forward ? " f " : " b ") +
                          std::to_string(one.attempt);
      if (one.ref == ref) {
        auto const found = std::ranges::find(markers_, json(marker));
        expect(found != markers_.end(), "the marker of " + marker + " is missing");
        if (found != markers_.end()) {
          markers_.erase(found);
        }
      }
    }
    for (auto const& marker : markers_) {
      expect(!marker.get<std::string>().starts_with(label + ' '),
             "a marker of what the record does not know: " + marker.get<std::string>());
    }
  }
  void expect(bool holds, std::string const& what) {
    if (!holds) {
      wrong_.push_back("in the target: " + what);
    }
  }

  Record const& record_;
  Site const& site_;
  std::map<std::string, StepKind> const& kinds_;
  std::set<Done> done_;
  json effects_, columns_, indexes_, markers_;
  std::set<StepRef> there_;
  std::set<std::string> unsettled_;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> wrong_effects(Record const& record, RandomPlan const& plan,
                                       Site const& site) {
  return Effects(record, plan, site).judge();
}

}  // namespace runbookd::chaos
