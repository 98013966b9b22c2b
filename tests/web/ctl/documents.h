// Documents as the API contract writes them, for tests to change and to serve.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace runbookd::ctl::tests {

using Json = nlohmann::json;

inline constexpr auto run_a = "run_0a1b2c3d4e5f";
inline constexpr auto run_b = "run_0a9900000000";

// users-org-id on main, four phases, waiting at the gate of `expand`.
Json waiting_run();
Json running_backfill();  // two of five steps done, a backfill at 68.4 %
Json waiting_for_lock();  // expand/add-column behind two sessions
Json list_row(Json const& run);
void set_state(Json& run, std::string const& state);
void allow(Json& run, std::string const& verb);
Json problem(int status, std::string const& code, std::string const& detail);

}  // namespace runbookd::ctl::tests
