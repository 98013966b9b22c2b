// How many event streams are open, in all and for each caller. On the I/O thread only.
#pragma once

#include <map>
#include <string>

#include "web/gatekeeper.h"

namespace runbookd::web {

class StreamCount {
 public:
  // A stream that is open for as long as this is there.
  class Place {
   public:
    Place(StreamCount& count, std::string who) : count_(count), who_(std::move(who)) {
      ++count_.all_;
      ++count_.of_[who_];
    }
    ~Place() {
      --count_.all_;
      if (auto const own = count_.of_.find(who_); --own->second == 0) {
        count_.of_.erase(own);
      }
    }
    Place(Place const&) = delete;
    Place& operator=(Place const&) = delete;

   private:
    StreamCount& count_;
    std::string who_;
  };

  Place open(Caller const& caller) { return {*this, who(caller)}; }
  int all() const { return all_; }
  // In local mode nobody is told apart, so nobody has a share of his own.
  int of(Caller const& caller) const {
    auto const own = of_.find(who(caller));
    return own == of_.end() || caller.by == Caller::By::local ? 0 : own->second;
  }

 private:
  static std::string who(Caller const& caller) {
    return caller.token.empty() ? caller.principal.name : "token " + caller.token;
  }

  int all_ = 0;
  std::map<std::string, int> of_;
};

}  // namespace runbookd::web
