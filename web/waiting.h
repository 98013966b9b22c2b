// One answer that waits for a run to get somewhere. Ends by what it waits for, by time, or because
// whoever waits is gone.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "web/http.h"
#include "web/service.h"

namespace runbookd::web {

class WaitingAnswer {
 public:
  WaitingAnswer(boost::asio::any_io_executor const& executor, RunService& service, Wait wait);

  // Nothing where it was stopped.
  boost::asio::awaitable<std::optional<Response>> answer();
  // Answers with what is there now.
  void hurry();
  // The service is not called again.
  void stop();

 private:
  Wait wait_;
  boost::asio::steady_timer wake_;
  std::unique_ptr<Subscription> subscription_;
  bool over_ = false;
  bool stopped_ = false;
};

}  // namespace runbookd::web
