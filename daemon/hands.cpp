#include "daemon/hands.h"

#include <utility>

#include "daemon/target/line.h"

namespace runbookd::daemon {

using planner::FailoverSeen;

namespace {

bool lacks_our_columns(SqlFailure const& failure) {
  return failure.sqlstate == "42703" || failure.sqlstate == "42P01" || failure.sqlstate == "3F000";
}

}  // namespace

SqlResult<Session*> Hands::session() {
  if (session_ && session_->alive()) {
    session_->line()->answer_within(patience_);
    return session_.get();
  }
  session_.reset();
  auto const target = access_.target();
  if (!target) {
    return tl::unexpected(
        SqlFailure{.sqlstate = "F0000", .message = target.error().detail, .statement = ""});
  }
  target_name_ = target->name;
  auto opened = connect(*target, name_);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  auto const found = introduce(**opened);
  if (!found) {
    return tl::unexpected(found.error());
  }
  found_ = *found;
  if (auto same = same_target(expected_.target, found_); !same) {
    if (same.error().sqlstate == failed_over_code) {
      moved_ = std::move(*opened);
    }
    return tl::unexpected(same.error());
  }
  session_ = std::move(*opened);
  session_->line()->answer_within(patience_);
  return session_.get();
}

SqlResult<std::unique_ptr<Session>> Hands::another() const {
  auto const target = access_.target();
  if (!target) {
    return tl::unexpected(
        SqlFailure{.sqlstate = "F0000", .message = target.error().detail, .statement = ""});
  }
  auto opened = connect(*target, name_);
  if (!opened) {
    return opened;
  }
  auto const found = introduce(**opened);
  if (!found) {
    return tl::unexpected(found.error());
  }
  // not only where the run began, but where its first session is at work
  if (auto same = same_target(found_, *found); !same) {
    return tl::unexpected(same.error());
  }
  return opened;
}

SqlResult<FenceClaim> Hands::check_in(Session& session, AttemptTag tag) {
  auto const claimed = [&] {
    return access_.fences->claim(session, target_name_, found_, expected_.taken_from);
  };
  auto const known = [&] { return expect_known(session, tag.store, tag.run, expected_.known); };
  // nothing is taken from another daemon for a run that cannot go on here
  bool const first = access_.fences->known(target_name_).number == 0;
  if (auto seen = first ? known() : SqlResult<void>{};
      !seen && seen.error().sqlstate == store_behind_code) {
    return tl::unexpected(seen.error());
  }
  auto claim = claimed();
  if (!claim && lacks_our_columns(claim.error())) {  // an older daemon made the tables
    if (auto prepared = prepare_target(session); !prepared) {
      return tl::unexpected(prepared.error());
    }
    claim = claimed();
  }
  if (!claim || listed_) {
    return claim;
  }
  if (auto seen = known(); !seen) {  // whoever was at work may have committed before the claim
    return tl::unexpected(seen.error());
  }
  tag.fence = *claim;
  if (auto opened = open_run(session, tag, access_.plan); !opened) {
    if (opened.error().sqlstate == fenced_code) {
      overtaken();
    }
    return tl::unexpected(opened.error());
  }
  listed_ = true;
  return claim;
}

std::shared_ptr<LockMemory> Hands::lock_memory(AttemptTag const& tag, int since_attempt,
                                               planner::LockPolicy const& policy) {
  auto& [ref, since, memory] = remembered_;
  if (!memory || ref != tag.ref || since != since_attempt) {
    remembered_ = {tag.ref, since_attempt, std::make_shared<LockMemory>(policy)};
  }
  return memory;
}

void Hands::check_out(Session& session) {
  listed_ = false;
  if (auto const held = held_by(session); !held || *held) {
    return;  // the run is another daemon's now
  }
  (void)close_run(session, access_.fences->store(), access_.run,
                  access_.fences->known(target_name_));
}

std::optional<FailoverSeen> Hands::failover() {
  auto const session = std::exchange(moved_, nullptr);
  if (!session) {
    return std::nullopt;
  }
  auto lost = unproven(*session, access_.fences->store(), access_.run, expected_.finished);
  if (!lost) {
    return std::nullopt;  // asked again by the next session
  }
  return FailoverSeen{.now = found_, .lost = std::move(*lost)};
}

void Hands::clean() {
  if (!std::exchange(to_clean_, false) || !session_) {
    return;
  }
  session_->line()->answer_within(patience_);
  if (!clean_session(*session_)) {
    discard();
  }
}

}  // namespace runbookd::daemon
