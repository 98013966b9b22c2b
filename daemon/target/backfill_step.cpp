#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include "daemon/target/backfill_worker.h"
#include "daemon/target/fence.h"
#include "daemon/target/marker.h"
#include "daemon/target/transaction.h"
#include "planner/sweep.h"
#include "store/crash_point.h"

namespace runbookd::daemon {
namespace {

using store::crash_point;
using store::CrashPoint;

// The planner's estimate needs no right to read, but counts the space of dead rows as rows.
std::int64_t estimated_rows(Session& session, FillRelation const& relation) {
  auto const plan = session.run("EXPLAIN SELECT 1 FROM " + relation.reference());
  if (!plan || plan->rows.empty()) {
    return 0;
  }
  auto const line = plan->rows.front().front().value_or("");
  auto const at = line.find("rows=");
  return at == std::string::npos ? 0 : number_in(line.substr(at + 5));
}

SqlResult<Sample> sampled(Session& session, FillRelation const& relation, int parts) {
  auto sample = take_sample(session, relation, parts);
  constexpr auto not_permitted = "42501";
  if (!sample && sample.error().sqlstate == not_permitted) {
    return Sample{.rows = estimated_rows(session, relation)};
  }
  return sample;
}

SqlFailure key_changed(Shard const& shard) {
  return {.sqlstate = "55000",
          .message = "the key of " + shard.relation +
                     " has changed since this backfill began, so its cursor means nothing any "
                     "more; roll the step back and run it again"};
}

class Backfill {
 public:
  Backfill(Session& session, AttemptTag const& tag, planner::BackfillAction const& action,
           int since_attempt, BackfillHelp const& help)
      : session_(session),
        tag_(tag),
        action_(action),
        since_attempt_(since_attempt),
        help_(help),
        table_(session, tag, action, since_attempt),
        vacuum_(help.one_more, session_name(tag.store, tag.run) + "/vacuum"),
        board_(action, help, vacuum_),
        helpers_(static_cast<std::size_t>(action.batch.workers)) {}

  AttemptResult run() {
    std::stop_callback const halt(help_.stop, [this] { board_.halt(); });
    auto result = walk();
    if (result.end != planner::AttemptEnd::done) {
      vacuum_.end_through(session_);
    }
    if (begun_) {
      result.filled = series_.filled();
    }
    return result;
  }

 private:
  AttemptResult walk() {
    if (auto ready = prepare(); !ready) {
      return ended(ready.error());
    }
    begun_ = true;
    if (series_.done) {
      return done_before();
    }
    for (bool more = true; more;) {
      board_.begin_pass(series_, relations_);
      if (series_.pass() > 1) {
        analyze();  // meanwhile: what a look through the table still changes is little
      }
      work();
      series_ = board_.series();
      if (board_.end()) {
        return told(*board_.end());
      }
      if (board_.is_halted()) {
        return stopped();
      }
      auto const sweep = sweep_again();
      if (!sweep) {
        return ended(sweep.error());
      }
      more = *sweep;
    }
    crash_point(CrashPoint::backfill_walked);
    analyze();
    vacuum_.wait();
    return board_.is_halted() ? stopped() : finish();
  }

  void analyze() {
    if (!std::exchange(analyzed_, true)) {
      vacuum_.analyze(relations_);
    }
  }

  // Finds the series or begins it.
  SqlResult<void> prepare() {
    auto relations = find_relations(session_, action_);
    if (!relations) {
      return tl::unexpected(relations.error());
    }
    relations_ = std::move(*relations);
    crash_point(CrashPoint::backfill_key_found);
    if (auto const known = look(); !known || *known) {
      return known.map([](bool) {});
    }
    if (auto const begun = begin_pass(1); !begun) {
      return tl::unexpected(begun.error());
    }
    crash_point(CrashPoint::backfill_state_written);
    return look().map([](bool) {});
  }

  // What is written of the series; false: nothing.
  SqlResult<bool> look() {
    auto series = table_.read();
    if (!series) {
      return tl::unexpected(series.error());
    }
    if (!*series) {
      return false;
    }
    series_ = std::move(**series);
    if (series_.undivided) {
      if (auto const written = table_.write(named(), series_.rows_expected, {*series_.undivided});
          !written) {
        return tl::unexpected(written.error());
      }
      return look();
    }
    estimate_relations();
    return shards_fit().map([] { return true; });
  }

  // A partition that was dropped or detached since has taken its rows along.
  SqlResult<void> shards_fit() {
    std::vector<std::string> gone;
    for (auto& shard : series_.shards) {
      auto const relation = std::ranges::find(relations_, shard.relation, &FillRelation::name);
      if (shard.done) {
        continue;
      }
      if (relation == relations_.end()) {
        gone.push_back(shard.relation);
        shard.done = true;
      } else if (relation->columns != shard.columns && shard.pass == 1) {
        return tl::unexpected(key_changed(shard));
      }
    }
    return gone.empty() ? SqlResult<void>{} : table_.give_up(gone);
  }

  std::string const& named() const {
    return std::ranges::find(relations_, true, &FillRelation::is_named)->name;
  }

  void estimate_relations() {
    std::int64_t blocks = 0;
    for (auto const& relation : relations_) {
      blocks += relation.blocks;
    }
    auto const per_block = static_cast<double>(series_.rows_expected) /
                           static_cast<double>(std::max<std::int64_t>(1, blocks));
    for (auto& relation : relations_) {
      relation.rows = static_cast<std::int64_t>(per_block * static_cast<double>(relation.blocks));
    }
  }

  // The table as it is now, in parts: up to the greatest key, or the last block, of this moment.
  SqlResult<bool> begin_pass(int pass) {
    std::int64_t rows = 0;
    for (auto& relation : relations_) {
      auto const sample = sampled(session_, relation, 1);
      if (!sample) {
        return tl::unexpected(sample.error());
      }
      relation.rows = sample->rows;
      rows += sample->rows;
    }
    std::vector<Shard> shards;
    for (auto const& relation : relations_) {
      if (relation.is_parent) {
        continue;
      }
      // a look through the table asks nothing of the order, so it takes the one of the disk
      bool const by_key = relation.has_key() && (pass == 1 || !knows_block_ranges(session_));
      auto const count = planner::shards_of(action_.batch, relation.rows, rows);
      auto parts =
          by_key ? ranges_of(relation, count)
                 : SqlResult<std::vector<Shard>>(blocks_of(relation.walked_by_blocks(), count));
      if (!parts) {
        return tl::unexpected(parts.error());
      }
      for (auto& part : *parts) {
        part.pass = pass;
        part.number = static_cast<int>(shards.size());
        shards.push_back(std::move(part));
      }
    }
    crash_point(pass == 1 ? CrashPoint::backfill_end_read : CrashPoint::sweep_parted);
    if (auto const written = table_.write(named(), rows, shards); !written) {
      return tl::unexpected(written.error());
    }
    return !shards.empty();
  }

  SqlResult<std::vector<Shard>> ranges_of(FillRelation const& relation, int count) {
    Sample sample;
    if (count > 1) {
      auto taken = sampled(session_, relation, count);
      if (!taken) {
        return tl::unexpected(taken.error());
      }
      sample = std::move(*taken);
    }
    auto const greatest = session_.run(BackfillSql::greatest_key(relation));
    roll_back(session_);
    if (!greatest) {
      return tl::unexpected(greatest.error());
    }
    std::vector<Shard> shards;
    if (greatest->rows.empty()) {
      return shards;
    }
    sample.parting.push_back(
        values_from(greatest->rows.front(), 0, relation.columns.size()).value_or(KeyValues{}));
    std::optional<KeyValues> from;
    for (auto& to : sample.parting) {
      shards.push_back({.relation = relation.name,
                        .columns = relation.columns,
                        .cursor = std::exchange(from, to),
                        .upper = to});
    }
    return shards;
  }

  static std::vector<Shard> blocks_of(FillRelation const& relation, int count) {
    std::vector<Shard> shards;
    for (int i = 0; i < count && relation.blocks > 0; ++i) {
      shards.push_back({.relation = relation.name,
                        .columns = relation.columns,
                        .cursor = KeyValues{std::to_string(relation.blocks * i / count)},
                        .upper = KeyValues{std::to_string(relation.blocks * (i + 1) / count)}});
    }
    return shards;
  }

  // All workers over the shards of this pass.
  void work() {
    auto const open = std::ranges::count(series_.shards, false, &Shard::done);
    auto const workers = help_.one_more ? std::min<std::int64_t>(action_.batch.workers, open) : 1;
    std::vector<std::jthread> others;
    for (int i = 1; i < workers; ++i) {
      others.emplace_back([this, i] {
        if (auto* session = helper(i)) {
          run_worker(board_, *session, tag_, action_, since_attempt_, i, help_.stop);
        }
      });
    }
    run_worker(board_, session_, tag_, action_, since_attempt_, 0, help_.stop);
  }

  // Without it the others do all the work.
  Session* helper(int number) {
    auto& session = helpers_[static_cast<std::size_t>(number)];
    if (!session) {
      auto opened = help_.one_more();
      if (!opened) {
        std::lock_guard const lock(mutex_);
        refused_ = opened.error().message;
        return nullptr;
      }
      session = std::move(*opened);
      crash_point(CrashPoint::helper_ready);
    }
    return session.get();
  }

  planner::PassFacts pass_facts() const {
    planner::PassFacts facts{.pass = series_.pass(), .has_condition = !action_.where.empty()};
    for (auto const& shard : series_.shards) {
      facts.changed += shard.pass == facts.pass ? shard.rows_changed : 0;
      facts.changed_in_all += shard.rows_changed;
      facts.asked += shard.rows_asked;
      facts.again += shard.rows_again;
    }
    return facts;
  }

  // Whether there is one more pass; it is written then.
  SqlResult<bool> sweep_again() {
    auto const facts = pass_facts();
    if (!planner::sweeps_again(facts)) {
      return false;
    }
    auto relations = find_relations(session_, action_);  // there may be new partitions
    if (!relations) {
      return tl::unexpected(relations.error());
    }
    relations_ = std::move(*relations);
    auto const expected = series_.rows_expected;
    auto const begun = begin_pass(facts.pass + 1);
    if (!begun || !*begun) {
      return begun;
    }
    auto const known = look();
    series_.rows_expected = expected;
    return known;
  }

  AttemptResult finish() {
    if (auto const finished = table_.finish(); !finished) {
      return ended(finished.error());
    }
    crash_point(CrashPoint::backfill_finished);
    series_.done = true;
    return {.rows = board_.changed_here(), .note = notes()};
  }

  // By an earlier attempt, which an older daemon could not mark.
  AttemptResult done_before() {
    if (auto const finished = table_.finish(); !finished) {
      return ended(finished.error());
    }
    return {.rows = 0, .note = "an earlier attempt had finished already"};
  }

  AttemptResult ended(SqlFailure failure) {
    roll_back(session_);
    return told(ended_by(std::move(failure), help_.stop, action_.statement_timeout));
  }

  AttemptResult told(AttemptResult end) const {
    if (!begun_) {
      return end;
    }
    end.rows = board_.changed_here();
    if (end.end == planner::AttemptEnd::interrupted) {
      end.note = stopped().note;
    }
    return end;
  }

  AttemptResult stopped() const {
    auto result = interrupted("stopped after " + std::to_string(series_.filled().scanned) +
                              " rows of the key range; an attempt after it begins there");
    result.rows = board_.changed_here();
    return result;
  }

  std::string notes() const {
    std::string text;
    auto const add = [&text](std::string const& note) {
      text += (text.empty() ? "" : "; ") + note;
    };
    if (auto const before = board_.scanned_before(); before > 0) {
      add("resumed after " + std::to_string(before) + " rows");
    }
    if (auto const found = series_.found(); found > 0) {
      add(std::to_string(found) +
          " rows that still needed it had appeared behind the cursor or after the end, and were "
          "filled by looking through the table again: does every running version of the "
          "application write the new column?");
    }
    if (auto const facts = pass_facts(); facts.asked < facts.changed_in_all) {
      add("the table was not looked through again for rows that appeared meanwhile, because "
          "`where` "
          "has a subquery: let a validation count them");
    }
    if (!refused_.empty()) {
      add("fewer workers than planned, because a session was refused: " + refused_);
    }
    return text;
  }

  Session& session_;
  AttemptTag const& tag_;
  planner::BackfillAction const& action_;
  int const since_attempt_;
  BackfillHelp const& help_;
  SeriesTable table_;
  BackfillVacuum vacuum_;
  FillBoard board_;
  std::vector<std::unique_ptr<Session>> helpers_;  // by worker; each used by its thread alone
  std::mutex mutex_;                               // guards refused_
  std::string refused_;
  std::vector<FillRelation> relations_;
  Series series_;
  bool begun_ = false;  // series_ is what the target says
  bool analyzed_ = false;
};

}  // namespace

AttemptResult run_backfill(Session& session, AttemptTag const& tag,
                           planner::BackfillAction const& action, int since_attempt,
                           BackfillHelp const& help) {
  if (help.stop.stop_requested()) {
    return interrupted("stopped before anything was sent");
  }
  return Backfill(session, tag, action, since_attempt, help).run();
}

SqlResult<std::optional<planner::Filled>> read_filled(Session& session, AttemptTag const& tag,
                                                      int since_attempt) {
  planner::BackfillAction const any;
  auto const series = SeriesTable(session, tag, any, since_attempt).read();
  if (!series) {
    return tl::unexpected(series.error());
  }
  return *series ? std::optional((*series)->filled()) : std::nullopt;
}

}  // namespace runbookd::daemon
