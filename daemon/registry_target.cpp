// What the registry answers after it has asked a target.
#include <algorithm>
#include <utility>

#include "daemon/registry.h"
#include "daemon/target/catalog.h"
#include "daemon/target/definitions.h"
#include "daemon/target/locks.h"
#include "daemon/target/procedures.h"
#include "daemon/target/weather.h"
#include "daemon/uploads.h"
#include "planner/phase_needs.h"
#include "planner/run_rules.h"
#include "planner/view_target.h"
#include "planner/ways_back_json.h"

namespace runbookd::daemon {

using namespace planner;
using web::Document;
using web::Told;

namespace {

// The phase that is entered next, or the one at work.
int next_phase(Plan const& plan, RunState const& state) {
  int const last = static_cast<int>(std::ssize(plan.phases)) - 1;
  bool const at_work = state.stage != Stage::gate && state.stage != Stage::baselines;
  bool const done = at_work && (state.stage == Stage::validation || state.stage == Stage::soak);
  return std::clamp(done ? state.phase + 1 : state.phase, 0, last);
}

Result<int> phase_named(Conductor const& run, std::string const& name) {
  auto const& phases = run.plan().phases;
  if (name.empty()) {
    return next_phase(run.plan(), run.state());
  }
  auto const found = std::ranges::find(phases, name, &Phase::name);
  if (found == phases.end()) {
    return tl::unexpected(Error{.code = ErrorCode::not_found,
                                .detail = "run " + run.id().text + " has no phase \"" + name + "\"",
                                .next = "runbookctl run show " + run.id().text});
  }
  return static_cast<int>(found - phases.begin());
}

template <typename T, typename Read>
SqlResult<T> asked(SqlResult<Session*> const& session, Read read) {
  return session ? read(**session) : SqlResult<T>(tl::unexpected(session.error()));
}

}  // namespace

void Registry::show_locks(RunId const& run, Told told) {
  auto const found = find(run);
  if (!found) {
    told(tl::unexpected(found.error()));
    return;
  }
  auto const answer = [this, one = *found,
                       told = std::move(told)](SqlResult<LocksSeen> const& seen) {
    if (seen) {
      told(Document{.json = locks_json(one->facts(), *seen, clock_.now())});
    } else {
      told(tl::unexpected(error_of(one->history().target, seen.error())));
    }
  };
  auto const name = session_name(store_.id(), run.text);
  lookout_.ask((*found)->history().target, [name, answer](SqlResult<Session*> const& session) {
    auto seen = asked<LocksSeen>(session,
                                 [&name](Session& opened) { return read_run_locks(opened, name); });
    return [answer, seen = std::move(seen)] { answer(seen); };
  });
}

void Registry::show_preflight(RunId const& run, std::string const& phase, Told told) {
  auto const found = find(run);
  if (!found) {
    told(tl::unexpected(found.error()));
    return;
  }
  auto const place = phase_named(**found, phase);
  if (!place) {
    told(tl::unexpected(place.error()));
    return;
  }
  look_before(**found, *place, Lookout::After::stay, std::move(told));
}

void Registry::show_catalog(std::string const& target, Told told) {
  if (auto const known = target_settings(target); !known) {
    told(tl::unexpected(known.error()));
    return;
  }
  auto const answer = [target, told = std::move(told)](SqlResult<ServerCatalog> const& read) {
    if (read) {
      told(Document{.json = catalog_json(*read)});
    } else {
      told(tl::unexpected(error_of(target, read.error())));
    }
  };
  lookout_.ask(target, [answer](SqlResult<Session*> const& session) {
    auto read = asked<ServerCatalog>(session, [](Session& opened) { return read_server(opened); });
    return [answer, read = std::move(read)] { answer(read); };
  });
}

void Registry::show_ways_back(std::string const& target, web::PlanUpload const& upload, Told told) {
  if (auto const known = target_settings(target); !known) {
    told(tl::unexpected(known.error()));
    return;
  }
  auto read = readable(upload, "no target was asked");
  if (!read) {
    told(tl::unexpected(std::move(read.error())));
    return;
  }
  auto const plan = std::make_shared<Plan const>(*std::move(read->plan));
  using Seen = SqlResult<std::vector<StepWayBack>>;
  auto const answer = [target, plan, told = std::move(told)](Seen const& all) {
    if (!all) {
      told(tl::unexpected(error_of(target, all.error())));
      return;
    }
    WaysBack ways;
    for (auto const& [ref, derived] : *all) {
      ways.add(ref, derived);
    }
    told(Document{.json = ways_back_json(*plan, ways)});
  };
  lookout_.ask(target, [answer, plan](SqlResult<Session*> const& session) {
    auto all = asked<std::vector<StepWayBack>>(
        session, [&](Session& opened) { return ways_back_now(opened, *plan); });
    return [answer, all = std::move(all)] { answer(all); };
  });
}

void Registry::look_before(Conductor const& run, int phase, Lookout::After after, Told told) {
  auto const needs = needs_of_phase(run.plan(), phase);
  auto const& target = run.history().target;
  auto const answer = [this, id = run.id(), target, needs,
                       told = std::move(told)](SqlResult<Weather> const& weather) {
    auto const still = runs_.find(id);
    if (!weather || still == runs_.end()) {
      told(tl::unexpected(weather ? Error{.code = ErrorCode::not_found, .detail = "the run is gone"}
                                  : error_of(target, weather.error())));
      return;
    }
    PreflightSeen const seen{.preflight = judge_preflight(needs, *weather), .taken = clock_.now()};
    still->second->seen_before_phase(seen);
    told(Document{.json = preflight_json(still->second->facts(), seen.preflight, seen.taken)});
  };
  auto const name = session_name(store_.id(), run.id().text);
  lookout_.ask(
      target,
      [name, needs, answer](SqlResult<Session*> const& session) {
        auto weather = asked<Weather>(
            session, [&](Session& opened) { return read_weather(opened, needs, name); });
        return [answer, weather = std::move(weather)] { answer(weather); };
      },
      after);
}

}  // namespace runbookd::daemon
