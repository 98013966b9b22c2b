// What a backfill leaves behind is vacuumed away while it goes on, so that its later rows take the
// space of its earlier ones. Private to daemon/target.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/target/backfill_table.h"

namespace runbookd::daemon {

// One session and one thread of its own, from the first time that it is needed. Any thread may
// call.
class BackfillVacuum {
 public:
  using OneMore = std::function<SqlResult<std::unique_ptr<Session>>()>;
  // Without `one_more` nothing is vacuumed.
  BackfillVacuum(OneMore one_more, std::string name)
      : one_more_(std::move(one_more)), name_(std::move(name)) {}
  ~BackfillVacuum();
  BackfillVacuum(BackfillVacuum const&) = delete;
  BackfillVacuum& operator=(BackfillVacuum const&) = delete;

  // A batch has left so many dead rows.
  void note(FillRelation const& relation, std::int64_t dead);
  // It is due again in that relation while it has not come to an end: whoever fills waits for it.
  bool is_behind(FillRelation const& relation);
  // What the table looks like now, for the planner.
  void analyze(std::vector<FillRelation> const& relations);
  // For all that was asked for.
  void wait();
  // Whatever is under way ends at once, and nothing more is begun. Waits for nothing.
  void give_up();
  // What was given up ends on the server, and has ended when this returns, or else is told to. A
  // cut line alone does not reach a backend that is at work.
  void end_through(Session& other);

 private:
  struct Dead {
    std::string relation;
    std::int64_t rows = 0;
    int vacuums = 0;
  };
  struct Order {
    std::string relation, sql;
  };
  void post(Order order);
  void work(std::stop_token const& stop);
  bool prepare();

  OneMore const one_more_;
  std::string const name_;
  std::mutex mutex_;  // guards all below
  std::condition_variable_any changed_;
  std::vector<Dead> dead_;
  std::vector<Order> orders_;  // the first one is under way
  std::unique_ptr<Session> session_;
  bool given_up_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace runbookd::daemon
