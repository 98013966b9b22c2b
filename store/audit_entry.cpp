#include "store/audit_entry.h"

#include <nlohmann/json.hpp>

#include "planner/limited_text.h"

namespace runbookd::store {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_text = 2'000;

void add(Json& json, char const* name, std::string const& text) {
  if (!text.empty()) {
    json[name] = planner::limited(text, longest_text);
  }
}

void add(Json& json, char const* name, std::optional<RunStanding> const& standing) {
  if (standing) {
    json[name] = {{"state", standing->state}, {"revision", standing->revision}};
  }
}

void add_who(Json& json, AuditEntry const& entry) {
  add(json, "actor", entry.actor);
  if (!entry.proven) {
    json["proven"] = false;
  }
  add(json, "roles", entry.roles);
  add(json, "auth", entry.auth);
  add(json, "token", entry.token);
  add(json, "source", entry.source);
  add(json, "agent", entry.agent);
}

void add_where(Json& json, AuditEntry const& entry) {
  add(json, "request", entry.request);
  add(json, "method", entry.method);
  add(json, "path", entry.path);
  add(json, "run", entry.run);
  add(json, "target", entry.target);
  add(json, "plan", entry.plan);
  add(json, "phase", entry.phase);
  add(json, "step", entry.step);
}

}  // namespace

std::string to_text(AuditEntry const& entry, std::int64_t seq) {
  Json json = {{"seq", seq}, {"time", planner::to_rfc3339(entry.at)}};
  if (entry.late) {
    json["late"] = true;
  }
  add(json, "kind", entry.kind);
  add(json, "action", entry.action);
  add(json, "outcome", entry.outcome);
  if (entry.status != 0) {
    json["status"] = entry.status;
  }
  add(json, "problem", entry.problem);
  add_who(json, entry);
  add_where(json, entry);
  add(json, "reason", entry.reason);
  add(json, "ticket", entry.ticket);
  if (entry.saw) {
    json["saw"] = *entry.saw;
  }
  add(json, "key", entry.key);
  add(json, "before", entry.before);
  add(json, "after", entry.after);
  for (auto const& [run, revision, hash] : entry.events) {
    json["events"].push_back({{"run", run}, {"revision", revision}, {"hash", hash}});
  }
  if (entry.count != 1) {
    json["count"] = entry.count;
  }
  add(json, "detail", entry.detail);
  // names may come from a request and need not be UTF-8
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<EventsHead> events_in(std::string_view text) {
  // most entries are about no run, and reading JSON is most of the work
  if (text.find(R"(,"events":[)") == std::string_view::npos) {
    return {};
  }
  auto const line = Json::parse(text, nullptr, false);
  auto const& entry = line.contains("entry") ? line["entry"] : line;
  std::vector<EventsHead> heads;
  for (auto const& head : entry.value("events", Json::array())) {
    heads.push_back({.run = head.value("run", ""),
                     .revision = head.value("revision", planner::EventSeq{0}),
                     .hash = head.value("hash", "")});
  }
  return heads;
}

}  // namespace runbookd::store
