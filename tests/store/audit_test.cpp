// Entries of the audit in a real store: with the change they are about, or not at all.
#include "store/audit.h"

#include <doctest/doctest.h>

#include "store/audit_lines.h"
#include "store/chain.h"
#include "store/check.h"
#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

AuditEntry entry_of(std::string action, std::string actor = "ann") {
  return {.at = planner::Moment(planner::Duration(1'700'000'000'123)),
          .kind = "request",
          .action = std::move(action),
          .outcome = "allowed",
          .actor = std::move(actor)};
}

struct Kept {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  Audit& audit = store->audit();

  Kept() { REQUIRE(store->plans().put(plan_of('a'))); }
  std::int64_t entries() const { return audit.head().entries; }
};

TEST_CASE("an entry's text has its number first, and its hash covers the hash before it") {
  Kept kept;
  REQUIRE(kept.audit.append({entry_of("start"), entry_of("pause")}));
  auto const rows = kept.audit.after(0, 10);
  REQUIRE(rows.size() == 2);
  CHECK(
      rows[0].text ==
      R"({"seq":1,"time":"2023-11-14T22:13:20.123Z","kind":"request","action":"start","outcome":"allowed","actor":"ann"})");
  CHECK(rows[0].hash == hash_after("", {rows[0].text}));
  CHECK(rows[1].hash == hash_after(rows[0].hash, {rows[1].text}));
}

TEST_CASE("a change takes its companion along in one transaction") {
  Kept kept;
  Companion const companion(kept.store->connection(), [&] { kept.audit.write(entry_of("start")); });
  CHECK(kept.entries() == 0);
  REQUIRE(kept.store->journal().append({append_of("run_1", 0)}));
  CHECK(companion.is_durable());
  CHECK(kept.entries() == 1);
  REQUIRE(kept.store->journal().append({append_of("run_1", 1)}));
  CHECK(kept.entries() == 1);
}

TEST_CASE("what nobody asked for takes no companion along") {
  Kept kept;
  Companion const companion(kept.store->connection(), [&] { kept.audit.write(entry_of("start")); });
  REQUIRE(kept.store->journal().append_facts({append_of("run_1", 0)}));
  REQUIRE(kept.store->tokens().used("none", planner::Moment{}));
  CHECK_FALSE(companion.is_durable());
  CHECK(kept.entries() == 0);
}

TEST_CASE("a companion that cannot be written undoes the change") {
  Kept kept;
  {
    Companion const companion(kept.store->connection(), [&] {
      kept.audit.write(entry_of("start"));
      throw StoreFailure({.code = planner::ErrorCode::audit_unavailable, .detail = "no entry"});
    });
    auto const written = kept.store->journal().append({append_of("run_1", 0)});
    REQUIRE_FALSE(written);
    CHECK(written.error().code == planner::ErrorCode::audit_unavailable);
    CHECK_FALSE(companion.is_durable());
  }
  CHECK(kept.entries() == 0);
  CHECK_FALSE(kept.store->journal().find({"run_1"}));
  CHECK(kept.store->journal().append({append_of("run_1", 0)}));
}

TEST_CASE("an entry that was written beside a change that failed leaves no hole in the chain") {
  Kept kept;
  {
    Companion const companion(kept.store->connection(), [&] {
      kept.audit.write(entry_of("start"));
      throw StoreFailure({.code = planner::ErrorCode::store_unavailable, .detail = "full"});
    });
    CHECK_FALSE(kept.store->journal().append({append_of("run_1", 0)}));
  }
  REQUIRE(kept.audit.append({entry_of("pause")}));
  AuditWalk walk(kept.audit, "here");
  while (walk.next(100)) {
  }
  CHECK(walk.problem() == "");
  CHECK(walk.file().entries() == 1);
}

TEST_CASE("entries are found by who, what, which run and what came of it, the newest first") {
  Kept kept;
  auto of_run = entry_of("pause", "ben");
  of_run.run = "run_2";
  of_run.outcome = "denied";
  REQUIRE(kept.audit.append({entry_of("start"), of_run, entry_of("pause"), entry_of("start")}));
  auto const seqs = [&](AuditFilter const& filter) {
    std::vector<std::int64_t> found;
    for (auto const& row : kept.audit.find(filter)) {
      found.push_back(row.seq);
    }
    return found;
  };
  using Seqs = std::vector<std::int64_t>;
  CHECK(seqs({}) == Seqs{4, 3, 2, 1});
  CHECK(seqs({.action = "pause"}) == Seqs{3, 2});
  CHECK(seqs({.actor = "ben"}) == Seqs{2});
  CHECK(seqs({.run = "run_2"}) == Seqs{2});
  CHECK(seqs({.outcome = "denied"}) == Seqs{2});
  CHECK(seqs({.before = 3, .limit = 1}) == Seqs{2});
  CHECK(seqs({.since = planner::Moment(planner::Duration(1'800'000'000'000))}).empty());
}

TEST_CASE("an entry says where its run stood before and after, and the hash of its last event") {
  Kept kept;
  REQUIRE(kept.store->journal().append({append_of("run_1", 0)}));
  auto entry = entry_of("resume");
  entry.run = "run_1";
  kept.audit.describe_before(entry);
  REQUIRE(kept.store->journal().append({append_of("run_1", 1)}));
  kept.audit.describe_after(entry);
  CHECK(entry.before->revision == 1);
  CHECK(entry.after->revision == 2);
  CHECK(entry.target == "main");
  REQUIRE(entry.events.size() == 1);
  CHECK(entry.events[0].hash == kept.audit.event_hash("run_1", 2));
  CHECK(entry.events[0].hash.size() == 64);
}

TEST_CASE("a run's event that is written anew is seen by the entry that holds its hash") {
  Kept kept;
  REQUIRE(kept.store->journal().append({append_of("run_1", 0)}));
  auto entry = entry_of("resume");
  entry.run = "run_1";
  kept.audit.describe_after(entry);
  REQUIRE(kept.audit.append({entry}));
  AuditWalk sound(kept.audit, "here");
  CHECK_FALSE(sound.next(100));
  CHECK(sound.problem() == "");
  kept.store->connection().run_script(
      "DROP TRIGGER event_stays; UPDATE event SET hash = 'another' WHERE run = 'run_1'");
  AuditWalk walk(kept.audit, "here");
  CHECK_FALSE(walk.next(100));
  CHECK(contains(walk.problem(), "event 1 of run run_1"));
}

TEST_CASE("a look at a whole store finds an audit entry that was changed, with its number") {
  Scratch const scratch;
  {
    auto const store = scratch.open();
    REQUIRE(store->audit().append({entry_of("start"), entry_of("pause")}));
    store->connection().run_script(
        "DROP TRIGGER audit_stays; "
        "UPDATE audit SET text = replace(text, 'ann', 'bob') WHERE seq = 2");
  }
  auto const report = check_store(scratch.path());
  REQUIRE(report);
  REQUIRE(report->problems.size() == 1);
  CHECK(contains(report->problems.front(), "entry 2 does not have its hash"));
}

TEST_CASE("no entry and no checkpoint can be changed or deleted in the ordinary way") {
  Kept kept;
  REQUIRE(kept.audit.append({entry_of("start")}));
  for (auto const* sql : {"UPDATE audit SET text = ''", "DELETE FROM audit"}) {
    CHECK_THROWS(kept.store->connection().run_script(sql));
  }
}

TEST_CASE("an answer is found again by its scope, for a day") {
  Kept kept;
  auto& answers = kept.store->answers();
  planner::Moment const now{planner::Duration(1'700'000'000'123)};
  KeptAnswer const answer{.scope = "s",
                          .fingerprint = "f",
                          .at = now,
                          .status = 202,
                          .headers = "ETag: \"2\"\n",
                          .body = "{}"};
  REQUIRE(answers.keep(answer));
  auto const found = answers.find("s").value();
  REQUIRE(found);
  CHECK(found->status == 202);
  CHECK(found->headers == answer.headers);
  REQUIRE(answers.forget_old(now + std::chrono::hours{24}));
  CHECK(answers.find("s").value());
  REQUIRE(answers.forget_old(now + std::chrono::hours{24} + std::chrono::milliseconds{1}));
  CHECK_FALSE(answers.find("s").value());
}

}  // namespace
}  // namespace runbookd::store
