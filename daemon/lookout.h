// Questions to targets on behalf of readers. Each target has a thread and a session of its own,
// made when somebody asks and given up after a while without questions: a target that does not
// answer keeps only its own readers waiting. Used on the I/O thread; answers come there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/clock.h"
#include "daemon/target/session.h"
#include "planner/error.h"

namespace boost::asio {
class io_context;
}

namespace runbookd::daemon {

class Lookout {
 public:
  using Lookup = std::function<planner::Result<TargetSettings>(std::string const& target)>;
  Lookout(boost::asio::io_context& io, Clock& clock, std::string name, Lookup lookup);
  ~Lookout();

  // `question` runs on the target's thread. Its answer is a function to be called on the I/O thread
  // with what was found.
  using Answer = std::function<void()>;
  using Question = std::function<Answer(SqlResult<Session*> const&)>;
  // A reader may ask again soon; what we ask for ourselves leaves no session behind.
  enum class After { stay, leave };
  void ask(std::string const& target, Question question, After after = After::stay);

 private:
  struct Post;
  Post& post(std::string const& target);

  boost::asio::io_context& io_;
  Clock& clock_;
  std::string name_;
  Lookup lookup_;
  std::map<std::string, std::shared_ptr<Post>> posts_;
};

// The SQL failure as the API tells it.
planner::Error error_of(std::string const& target, SqlFailure const& failure);

}  // namespace runbookd::daemon
