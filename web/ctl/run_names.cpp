// How a person may name a run: in full, by a unique beginning, as @latest, or not at all.
#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "web/ctl/client.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

constexpr std::size_t full_length = 16;  // "run_" and twelve digits

struct Named {
  std::string run, plan, target, state, created;
};

bool looks_like_id(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

Maybe<std::vector<Named>> runs(Client& client, std::string const& what) {
  std::vector<Named> rows;
  auto const read =
      client.each_row("/api/v1/runs?limit=500", "runs", what, [&rows](Json const& row) {
        rows.push_back({text_of(row, "run"), text_of(child(row, "plan"), "name"),
                        text_of(row, "target"), text_of(row, "state"), text_of(row, "created_at")});
        return true;
      });
  return read ? Maybe<std::vector<Named>>(std::move(rows)) : tl::unexpected(read.error());
}

Maybe<std::string> latest_of(std::vector<Named> const& rows, std::string const& what) {
  if (rows.empty()) {
    return fail(Exit::not_found, what, "there is no run yet",
                "runbookctl run create --plan-file FILE --target NAME");
  }
  // RFC 3339 times of one zone compare as text; of equal ones the first in the daemon's order
  // counts
  auto const newest = std::max_element(
      rows.begin(), rows.end(), [](auto const& a, auto const& b) { return a.created < b.created; });
  return newest->run;
}

tl::unexpected<Failure> ambiguous(std::vector<Named> const& rows, std::string const& what,
                                  std::string const& why) {
  constexpr std::size_t most_named = 12;
  std::vector<std::string> names;
  for (auto const& row : rows) {
    if (names.size() == most_named) {
      names.push_back("and " + std::to_string(rows.size() - most_named) + " more");
      break;
    }
    names.push_back(row.run + " (" + row.plan + " on " + row.target + ", " + row.state + ")");
  }
  return fail(Exit::usage, what, why + ": " + joined(names, ", "), "runbookctl run list");
}

Maybe<std::string> by_beginning(std::vector<Named> rows, std::string const& text) {
  auto const start = text.starts_with("run_") ? text : "run_" + text;
  std::erase_if(rows, [&start](Named const& row) { return !row.run.starts_with(start); });
  if (rows.empty()) {
    return fail(Exit::not_found, "run " + text, "no run begins like this", "runbookctl run list");
  }
  return rows.size() == 1 ? Maybe<std::string>(rows.front().run)
                          : ambiguous(rows, "run " + text, "several runs begin like this");
}

}  // namespace

Maybe<std::string> Client::run_id(std::string const& text) {
  auto const latest = text == "@latest";
  if (!latest && !looks_like_id(text)) {
    return fail(Exit::usage, "run " + text,
                "this is neither an id, nor the beginning of one, nor @latest",
                "runbookctl run list");
  }
  if (text.starts_with("run_") && text.size() >= full_length) {
    return text;
  }
  auto rows = runs(*this, "run " + text);
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  return latest ? latest_of(*rows, "run @latest") : by_beginning(std::move(*rows), text);
}

Maybe<std::string> Client::run_at_hand() {
  auto rows = runs(*this, "watch");
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  auto active = *rows;
  std::erase_if(active, [](Named const& row) { return is_final(row.state); });
  if (active.size() > 1) {
    return ambiguous(active, "watch", "several runs are under way, name one");
  }
  return active.empty() ? latest_of(*rows, "watch") : Maybe<std::string>(active.front().run);
}

}  // namespace runbookd::ctl
