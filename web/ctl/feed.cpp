#include "web/ctl/feed.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <poll.h>

#include "web/ctl/run_facts.h"

namespace runbookd::ctl {

namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{2'000};

}  // namespace

Feed::Feed(Client& client, std::string run, std::int64_t after)
    : client_(client), run_(std::move(run)), last_id_(std::to_string(after)), pause_(first_pause) {
  connect();
}

void Feed::connect() {
  auto stream = client_.open_events(run_, last_id_);
  client_.tell_no_more();
  if (stream) {
    stream_ = std::move(*stream);
    parser_ = {};
    pause_ = first_pause;
    return;
  }
  // a daemon that is away comes back; one that says no will say no again
  if (stream.error().exit != Exit::unreachable) {
    refusal_ = stream.error();
    ended_ = true;
  }
  lose();
}

void Feed::lose() {
  stream_.reset();
  try_again_ = steady_clock::now() + pause_;
  pause_ = std::min(pause_ * 2, longest_pause);
}

// The end of a stream is the end of the run only if the run says so: a daemon that stops ends its
// streams too.
bool Feed::run_is_over() {
  auto const answer = client_.get(run_path(run_), "follow " + run_);
  return answer && is_final(text_of(parse_json(answer->body), "state"));
}

std::vector<ServerEvent> Feed::read() {
  auto const bytes = stream_->read();
  if (!bytes) {
    lose();
    return {};
  }
  auto events = parser_.take(*bytes);
  for (auto const& event : events) {
    last_id_ = event.id.empty() ? last_id_ : event.id;
  }
  if (stream_->ended()) {
    ended_ = run_is_over();
    lose();
  }
  return events;
}

std::vector<ServerEvent> Feed::wait(Interrupts const& interrupts, std::chrono::milliseconds time,
                                    int also) {
  if (!stream_ && !ended_ && steady_clock::now() >= try_again_) {
    connect();
  }
  // the first events may have come together with the head of the answer
  if (auto early = stream_ ? read() : std::vector<ServerEvent>(); !early.empty() || ended_) {
    return early;
  }
  std::array<pollfd, 3> entries{{{interrupts.descriptor(), POLLIN, 0},
                                 {also, POLLIN, 0},
                                 {stream_ ? stream_->descriptor() : -1, POLLIN, 0}}};
  auto const nap = stream_ ? time : std::min(time, pause_);
  ::poll(entries.data(), entries.size(), static_cast<int>(nap.count()));
  interrupts.drain();
  return stream_ && entries[2].revents != 0 ? read() : std::vector<ServerEvent>();
}

}  // namespace runbookd::ctl
