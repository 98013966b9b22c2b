#include "daemon/lookout.h"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "daemon/target/line.h"
#include "daemon/target/procedures.h"
#include "daemon/worker.h"

namespace runbookd::daemon {

using namespace planner;

namespace {

constexpr Duration kept_without_questions{5'000};
// Readers wait for this.
constexpr Duration connects_within{5'000};
constexpr Duration answers_within{10'000};
constexpr auto manners = "SET statement_timeout = '5s'; SET lock_timeout = '1s'";

SqlResult<std::unique_ptr<Session>> open(Result<TargetSettings> target, std::string const& name) {
  if (!target) {
    return tl::unexpected(SqlFailure{.message = target.error().detail});
  }
  target->connect_timeout = std::min(target->connect_timeout, connects_within);
  auto session = connect(*target, name);
  if (!session) {
    return session;
  }
  (*session)->line()->answer_within(answers_within);
  if (auto const known = introduce(**session); !known) {
    return tl::unexpected(known.error());
  }
  if (auto const set = (*session)->run(manners); !set) {
    return tl::unexpected(set.error());
  }
  return session;
}

}  // namespace

struct Lookout::Post {
  explicit Post(boost::asio::io_context& io) : worker(io) {}
  std::unique_ptr<Session> session;  // on the worker's thread
  std::unique_ptr<Alarm> leave;
  Worker worker;  // last: its destructor waits for a job that uses the session

  SqlResult<Session*> opened(Lookup const& lookup, std::string const& target,
                             std::string const& name) {
    if (!session || !session->alive()) {
      session.reset();
      auto made = open(lookup(target), name);
      if (!made) {
        return tl::unexpected(made.error());
      }
      session = std::move(*made);
    }
    return session.get();
  }
};

Lookout::Lookout(boost::asio::io_context& io, Clock& clock, std::string name, Lookup lookup)
    : io_(io), clock_(clock), name_(std::move(name)), lookup_(std::move(lookup)) {}

Lookout::~Lookout() = default;

Lookout::Post& Lookout::post(std::string const& target) {
  auto& made = posts_[target];
  if (!made) {
    made = std::make_shared<Post>(io_);
  }
  return *made;
}

void Lookout::ask(std::string const& target, Question question, After after) {
  auto& here = post(target);
  here.worker.post(
      [&here, target, lookup = lookup_, name = name_, question = std::move(question), after] {
        auto answer = question(here.opened(lookup, target, name));
        if (after == After::leave) {
          here.session.reset();
        }
        here.worker.answer(std::move(answer));
      });
  if (after == After::leave) {
    return;
  }
  here.leave = clock_.wake_at(clock_.now() + kept_without_questions,
                              [&here] { here.worker.post([&here] { here.session.reset(); }); });
}

Error error_of(std::string const& target, SqlFailure const& failure) {
  bool const answered = failure.fate == SqlFailure::Fate::failed && !failure.sqlstate.empty() &&
                        !failure.sqlstate.starts_with("08");
  auto const subject = "target " + target;
  return {.code = answered ? ErrorCode::target_refused : ErrorCode::target_unreachable,
          // what could not be connected to names itself
          .detail = failure.message.starts_with(subject) ? failure.message
                                                         : subject + ": " + failure.message,
          .sqlstate = failure.sqlstate};
}

}  // namespace runbookd::daemon
