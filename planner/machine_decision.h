// What every decision about a wish begins with. Private to planner/machine_*.cpp.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planner/error.h"
#include "planner/event.h"
#include "planner/machine.h"

namespace runbookd::planner {

using Verdicts = Result<std::vector<EventBody>>;

inline std::vector<EventBody> nothing_to_do() { return {}; }

// Names are declared by hand: "Bob" and "bob" are one person, and so is the machine's user "bob".
bool same_person(std::string_view a, std::string_view b);

struct Wish {
  Plan const& plan;
  RunState const& state;
  Command const& command;
  Moment now;

  tl::unexpected<Error> refuse(std::string detail, std::string next = "",
                               ErrorCode code = ErrorCode::illegal_transition) const;
  tl::unexpected<Error> wrong_state(std::string const& needs) const;
  bool is(std::initializer_list<RunMode> modes) const;
  std::optional<Verdicts> reason_missing() const;
  static std::vector<EventBody> one(EventBody body);
};

// What people say at a gate. (machine_signatures.cpp)
Verdicts sign(Wish const& wish, Approve const& ask);
Verdicts sign(Wish const& wish, Reject const& ask);
Verdicts sign(Wish const& wish, Withdraw const& ask);
Verdicts sign(Wish const& wish, Override const& ask);
Verdicts sign(Wish const& wish, Countersign const& ask);

// What the house refuses, whatever the run's state. (machine_house.cpp)
std::optional<Error> refused_by_house(Wish const& wish);

}  // namespace runbookd::planner
