#include "daemon/target/dsn_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace runbookd::daemon {
namespace {

template <typename Fits>
bool all_of_list(std::string_view list, Fits const& fits) {
  while (true) {
    auto const comma = list.find(',');
    if (!fits(list.substr(0, comma))) {
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    list.remove_prefix(comma + 1);
  }
}

std::optional<int> whole(std::string_view text) {
  int number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool const all = error == std::errc() && end == text.data() + text.size();
  return all ? std::optional(number) : std::nullopt;
}

bool is_port(std::string_view text) {
  auto const number = whole(text);
  return text.empty() || (number && *number > 0 && *number <= 65535);
}

// What libpq looks at only while it connects, or never says a word about. Empty means the default.
struct Values {
  std::string_view keyword, allowed;  // separated by blanks; none: a whole number
};
constexpr auto known_values = std::to_array<Values>({
    {"sslmode", "disable allow prefer require verify-ca verify-full"},
    {"gssencmode", "disable prefer require"},
    {"channel_binding", "disable prefer require"},
    {"sslnegotiation", "postgres direct"},
    {"sslcertmode", "disable allow require"},
    {"sslcompression", "0 1"},
    {"sslsni", "0 1"},
    {"ssl_min_protocol_version", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"},
    {"ssl_max_protocol_version", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"},
    {"target_session_attrs", "any read-write read-only primary standby prefer-standby"},
    {"load_balance_hosts", "disable random"},
    {"connect_timeout", ""},
    {"keepalives", ""},
    {"keepalives_idle", ""},
    {"keepalives_interval", ""},
    {"keepalives_count", ""},
    {"tcp_user_timeout", ""},
});

std::vector<std::string> words_of(std::string_view list) {
  std::istringstream in{std::string(list)};
  return {std::istream_iterator<std::string>(in), {}};
}

std::optional<DsnProblem> value_problem(Values const& known, std::string const& value) {
  auto const what = "`" + std::string(known.keyword) + "` of the connection string is ";
  if (value.empty()) {
    return std::nullopt;
  }
  if (known.allowed.empty()) {
    return whole(value) ? std::nullopt
                        : std::optional(DsnProblem{what + "no whole number", "such as 10"});
  }
  auto const words = words_of(known.allowed);
  if (std::ranges::find(words, value) != words.end()) {
    return std::nullopt;
  }
  std::string list;
  for (auto const& word : words) {
    list += (list.empty() ? "" : word == words.back() ? " or " : ", ") + word;
  }
  return DsnProblem{what + "none that libpq knows", list};
}

bool is_off(std::string const& value) {
  return value.empty() || value == "0" || value == "off" || value == "no" || value == "false";
}

bool several_hosts(Keywords const& keywords) {
  return value_of(keywords, "host").find(',') != std::string::npos ||
         value_of(keywords, "hostaddr").find(',') != std::string::npos;
}

}  // namespace

std::string value_of(Keywords const& keywords, std::string const& name) {
  auto const found = keywords.find(name);
  return found == keywords.end() ? "" : found->second;
}

std::vector<DsnProblem> value_problems(Keywords const& keywords) {
  std::vector<DsnProblem> problems;
  if (!all_of_list(value_of(keywords, "port"), is_port)) {
    problems.push_back({"`port` of the connection string is no port", "a number up to 65535"});
  }
  for (auto const& known : known_values) {
    if (auto problem = value_problem(known, value_of(keywords, std::string(known.keyword)))) {
      problems.push_back(std::move(*problem));
    }
  }
  if (!is_off(value_of(keywords, "replication"))) {
    problems.push_back(
        {"`replication` of the connection string asks for a replication connection, "
         "which takes no plan's statements",
         "leave it out"});
  }
  auto const wanted = value_of(keywords, "target_session_attrs");
  if (several_hosts(keywords) && wanted != "read-write" && wanted != "primary") {
    problems.push_back(
        {"the connection string names several hosts and lets libpq take any of them; the two "
         "sessions of a run must meet on one server, the primary",
         "name the primary alone, or add target_session_attrs=read-write"});
  }
  return problems;
}

}  // namespace runbookd::daemon
