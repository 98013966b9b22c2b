// TLS over a socket that never blocks: each call says what it waits for.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace runbookd::ctl {

class TlsLine {
 public:
  enum class Waits { no, to_read, to_write };
  struct Step {
    std::size_t size = 0;
    Waits waits = Waits::no;
    bool over = false;    // the other side is done
    std::string trouble;  // empty: none
  };

  // The certificate has to be valid for `host`, by `ca_file`, or by the system's authorities where
  // that is empty.
  TlsLine(int descriptor, std::string const& host, std::string const& ca_file);
  ~TlsLine();
  TlsLine(TlsLine const&) = delete;
  TlsLine& operator=(TlsLine const&) = delete;

  Step greet();
  Step send(std::string_view bytes);
  Step receive(std::span<char> into);

 private:
  struct State;
  Step step_of(int result) const;
  std::unique_ptr<State> state_;
};

}  // namespace runbookd::ctl
