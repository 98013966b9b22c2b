#include "tests/chaos/random_plan.h"

#include <algorithm>
#include <array>

namespace runbookd::chaos {
namespace {

using nlohmann::json;

// A name without the slash, for identifiers.
std::string plain(std::string label) {
  std::ranges::replace(label, '/', '_');
  return label;
}

std::string note(std::string const& effect) {
  return "INSERT INTO effect VALUES ('" + effect + "')";
}

// Fails until somebody mends it.
std::string trap(std::string const& name) {
  return "SELECT 1 / (1 - (SELECT count(*) FROM broken WHERE name = '" + name + "'))";
}

class Maker {
 public:
  explicit Maker(std::mt19937& chance) : chance_(chance) {}

  RandomPlan make() {
    plan_.setup = "CREATE TABLE broken (name text NOT NULL);";
    auto& document = plan_.document;
    document = {{"runbook", 1}, {"name", "random"}, {"phases", json::array()}};
    document["on_restart"] = one_in(chance_, 2) ? "resume" : "pause";
    document["on_failure"] = one_in(chance_, 4) ? "rollback" : "pause";
    if (one_in(chance_, 3)) {
      document["baselines"] = {{"rows", "SELECT count(*) FROM t"}};
      document["final_checks"] = json::array({{{"name", "same-rows"},
                                               {"sql", "SELECT count(*) FROM t"},
                                               {"expect", {{"baseline", "rows"}}}}});
    }
    for (int p = 0, count = 1 + below(chance_, 3); p < count; ++p) {
      document["phases"].push_back(phase("p" + std::to_string(p), p));
    }
    return std::move(plan_);
  }

 private:
  json phase(std::string const& name, int number) {
    json made{{"name", name}, {"kind", "other"}, {"steps", json::array()}};
    for (int s = 0, count = 1 + below(chance_, 4); s < count; ++s) {
      made["steps"].push_back(step(name, "s" + std::to_string(s)));
    }
    if (one_in(chance_, 4)) {
      made["requires"] = json::array({check("requires-" + name)});
    }
    if (one_in(chance_, 3)) {
      made["validate"] = json::array({check("validates-" + name)});
    }
    if (one_in(chance_, 4)) {
      made["soak"] = "40ms";
      auto watch = check("watches-" + name);
      watch["every"] = "100ms";
      made["watch"] = json::array({watch});
    }
    if (number > 0 && one_in(chance_, 4)) {
      made["approval"] = {{"from", "dba"}, {"count", 1 + below(chance_, 2)}};
    }
    if (number > 0 && one_in(chance_, 4)) {
      made["not_before"] = {{"after", "p" + std::to_string(number - 1)}, {"wait", "60ms"}};
    }
    return made;
  }

  json check(std::string const& name) {
    break_sometimes(name, 6);
    return {{"name", name},
            {"sql", "SELECT count(*) FROM broken WHERE name = '" + name + "'"},
            {"expect", {{"value", 0}}}};
  }

  json step(std::string const& phase, std::string const& name) {
    auto const label = phase + "/" + name;
    json made{{"name", name}};
    constexpr std::array usual{StepKind::ledger, StepKind::ledger,  StepKind::column,
                               StepKind::column, StepKind::index,   StepKind::fill,
                               StepKind::fill,   StepKind::by_hand, StepKind::pause};
    auto const kind = usual[static_cast<std::size_t>(below(chance_, std::ssize(usual)))];
    plan_.kinds[label] = kind;
    put_ways(made, label, kind);
    if (one_in(chance_, 4)) {
      made["skippable"] = true;
    }
    if (kind != StepKind::pause && one_in(chance_, 12)) {
      for (auto const* key : {"rollback", "rollback_manual"}) {
        made.erase(key);
      }
      made["irreversible"] = "the test says so";
    }
    return made;
  }

  void put_ways(json& made, std::string const& label, StepKind kind) {
    auto const effect = effect_name(label);
    auto const undo = "undo " + effect;
    auto const before = sleep() + trap(effect) + ";\n";
    auto const before_undo = sleep() + trap(undo) + ";\n";
    switch (kind) {
      case StepKind::ledger:
        made["sql"] = before + note(effect);
        made["rollback"] = before_undo + note(undo);
        break_sometimes(effect, 6);
        break_sometimes(undo, 8);
        return;
      case StepKind::column:
        made["sql"] =
            before + "ALTER TABLE t ADD COLUMN " + column_name(label) + " int;\n" + note(effect);
        made["rollback"] =
            before_undo + note(undo) + ";\nALTER TABLE t DROP COLUMN " + column_name(label);
        break_sometimes(effect, 8);
        break_sometimes(undo, 8);
        return;
      case StepKind::index:
        made["sql"] = "CREATE INDEX CONCURRENTLY " + index_name(label) + " ON t (a)";
        made["rollback"] = "DROP INDEX CONCURRENTLY " + index_name(label);
        return;
      case StepKind::fill: {
        auto const table = fill_table(label);
        plan_.setup += "CREATE TABLE " + table +
                       " (id int PRIMARY KEY, v int NOT NULL);\nINSERT INTO " + table +
                       " SELECT g, 0 FROM generate_series(1, 100) g;";
        made["backfill"] = {{"table", table},
                            {"set", {{"v", table + ".v + 1"}}},
                            {"where", "true"},
                            {"batch", {{"max_rows", 20}, {"pause", "2ms"}}}};
        made["rollback"] = before_undo + "UPDATE " + table + " SET v = 0;\n" + note(undo);
        break_sometimes(undo, 8);
        return;
      }
      case StepKind::by_hand:
        made["manual"] = "Do it.";
        made["rollback_manual"] = "Take it back.";
        return;
      case StepKind::pause:
        made["wait"] = "30ms";
        return;
    }
  }

  std::string sleep() { return one_in(chance_, 3) ? "SELECT pg_sleep(0.04);\n" : ""; }
  void break_sometimes(std::string const& name, int times) {
    if (one_in(chance_, times)) {
      plan_.setup += "INSERT INTO broken VALUES ('" + name + "');";
    }
  }

  std::mt19937& chance_;
  RandomPlan plan_;
};

}  // namespace

int below(std::mt19937& chance, int limit) {
  return static_cast<int>(chance() % static_cast<unsigned>(limit));
}
bool one_in(std::mt19937& chance, int times) { return below(chance, times) == 0; }

char const* const mend_everything = "DELETE FROM broken";

std::string effect_name(std::string const& label) { return plain(label); }
std::string column_name(std::string const& label) { return "c_" + plain(label); }
std::string index_name(std::string const& label) { return "i_" + plain(label); }
std::string fill_table(std::string const& label) { return "f_" + plain(label); }

RandomPlan random_plan(std::mt19937& chance) { return Maker(chance).make(); }

}  // namespace runbookd::chaos
