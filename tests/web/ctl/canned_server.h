// A small HTTP server on a real socket that answers with documents of the test's own.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace runbookd::ctl::tests {

struct Asked {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
};

struct Canned {
  int status = 200;
  std::string body;
  std::string etag;
  // An event stream: pieces of text, sent one after the other. The connection is then closed; with
  // `proper_end` after the last chunk, else in the middle of it, as by a daemon that dies.
  std::vector<std::string> pieces;
  bool proper_end = true;
  bool hang = false;     // never answers
  bool hang_up = false;  // without a word
};

class CannedServer {
 public:
  using Handler = std::function<Canned(Asked const&)>;
  explicit CannedServer(Handler handler, std::string unix_path = "");
  ~CannedServer();
  CannedServer(CannedServer const&) = delete;
  CannedServer& operator=(CannedServer const&) = delete;

  std::string address() const;
  std::vector<Asked> asked() const;
  std::vector<Asked> asked(std::string const& method) const;

 private:
  void serve();
  void serve_one(int connection);
  Handler handler_;
  std::string unix_path_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::thread thread_;
};

}  // namespace runbookd::ctl::tests
