#include "daemon/target/dsn.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <utility>

#include <libpq-fe.h>

#include "planner/nearest.h"

namespace runbookd::daemon {
namespace {

using Keywords = std::map<std::string, std::string>;
using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// libpq's own words for a malformed string may quote it, password and all; so they are not passed
// on, only recognised.
constexpr auto unreadable =
    "the connection string cannot be read; it needs the form \"host=… port=… dbname=… user=…\"";

struct Parsed {
  std::optional<Keywords> keywords;
  std::string complaint;  // not for printing
};

Parsed parse(std::string const& dsn) {
  char* complaint = nullptr;
  Options const options(PQconninfoParse(dsn.c_str(), &complaint), &PQconninfoFree);
  Parsed parsed;
  if (complaint != nullptr) {
    parsed.complaint = complaint;
    PQfreemem(complaint);
  }
  if (!options) {
    return parsed;
  }
  parsed.keywords.emplace();
  for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      parsed.keywords->emplace(option->keyword, option->val);
    }
  }
  return parsed;
}

std::vector<std::string> known_keywords() {
  std::vector<std::string> known;
  Options const options(PQconndefaults(), &PQconninfoFree);
  for (auto const* option = options.get(); option != nullptr && option->keyword != nullptr;
       ++option) {
    known.emplace_back(option->keyword);
  }
  return known;
}

struct Saying {
  std::string_view words;  // of libpq
  DsnProblem problem;
};

DsnProblem unreadable_problem(std::string const& complaint) {
  static auto const sayings = std::to_array<Saying>({
      {"missing \"=\" after",
       {"the connection string has a word without = after it",
        "write keyword=value; a value with blanks needs quotation marks: password='…'"}},
      {"unterminated quoted string",
       {"the connection string has a quotation mark that is never closed",
        "close it; inside a value write \\' for a quotation mark"}},
      {"invalid percent-encoded token",
       {"the connection string has a % that no two hexadecimal digits follow", "write %25 for %"}},
      {"looking for matching \"]\"",
       {"the connection string has a [ without its ]", "an IPv6 address stands in [ and ]"}},
  });
  for (auto const& saying : sayings) {
    if (complaint.find(saying.words) != std::string::npos) {
      return saying.problem;
    }
  }
  return {unreadable, "or the form postgresql://user@host:port/database"};
}

// The key itself is not shown: behind a password with a blank, it is a piece of it.
DsnProblem unknown_keyword(std::string const& complaint, std::size_t quote) {
  auto const end = complaint.find('"', quote + 1);
  auto const near =
      planner::nearest(complaint.substr(quote + 1, end - quote - 1), known_keywords());
  return {"the connection string has a keyword that libpq does not know",
          near.empty() ? "known are host, port, dbname, user, sslmode and libpq's others; a "
                         "password with blanks needs quotation marks"
                       : "did you mean \"" + near + "\"?"};
}

DsnProblem problem_of(std::string const& complaint) {
  for (std::string_view const words :
       {"invalid connection option \"", "invalid URI query parameter: \""}) {
    if (auto const found = complaint.find(words); found != std::string::npos) {
      return unknown_keyword(complaint, found + words.size() - 1);
    }
  }
  return unreadable_problem(complaint);
}

std::string value_of(Keywords const& keywords, std::string const& name) {
  auto const found = keywords.find(name);
  return found == keywords.end() ? "" : found->second;
}

bool is_port(std::string_view text) {
  unsigned number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return text.empty() || (error == std::errc() && end == text.data() + text.size() && number > 0 &&
                          number <= 65535);
}

bool all_ports(std::string_view list) {
  while (true) {
    auto const comma = list.find(',');
    if (!is_port(list.substr(0, comma))) {
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    list.remove_prefix(comma + 1);
  }
}

bool several_hosts(Keywords const& keywords) {
  return value_of(keywords, "host").find(',') != std::string::npos ||
         value_of(keywords, "hostaddr").find(',') != std::string::npos;
}

std::string quoted(std::string const& value) {
  std::string text = "'";
  for (char const c : value) {
    if (c == '\'' || c == '\\') {
      text += '\\';
    }
    text += c;
  }
  return text + "'";
}

std::string assembled(Keywords const& keywords) {
  std::string text;
  for (auto const& [keyword, value] : keywords) {
    text += (text.empty() ? "" : " ") + keyword + "=" + quoted(value);
  }
  return text;
}

std::string seconds(planner::Duration duration) {
  return std::to_string(std::max<planner::Duration::rep>(2, (duration.count() + 999) / 1000));
}

}  // namespace

std::string described_dsn(std::string const& dsn) {
  auto const keywords = parse(dsn).keywords;
  if (!keywords) {
    return "an unreadable connection string";
  }
  constexpr std::array<std::pair<char const*, char const*>, 4> shown{
      {{"host", "local socket"}, {"port", "5432"}, {"dbname", ""}, {"user", ""}}};
  std::string text;
  for (auto const& [keyword, otherwise] : shown) {
    auto const found = keywords->find(keyword);
    std::string const value = found == keywords->end() ? otherwise : found->second;
    if (!value.empty()) {
      text += (text.empty() ? "" : " ") + std::string(keyword) + "=" + value;
    }
  }
  return text;
}

tl::expected<std::string, std::string> session_dsn(TargetSettings const& target,
                                                   std::string const& application_name) {
  auto keywords = parse(target.dsn).keywords;
  if (!keywords) {
    return tl::unexpected(std::string(unreadable));
  }
  // Without these a dead network would hold the calling thread for hours.
  keywords->try_emplace("connect_timeout", seconds(target.connect_timeout));
  keywords->try_emplace("keepalives", "1");
  keywords->try_emplace("keepalives_idle", "30");
  keywords->try_emplace("keepalives_interval", "10");
  keywords->try_emplace("keepalives_count", "3");
  keywords->try_emplace("tcp_user_timeout", "60000");
  (*keywords)["client_encoding"] = "UTF8";
  (*keywords)["application_name"] = application_name;
  return assembled(*keywords);
}

std::vector<DsnProblem> dsn_problems(std::string const& dsn) {
  auto const parsed = parse(dsn);
  if (!parsed.keywords) {
    return {problem_of(parsed.complaint)};
  }
  auto const& keywords = *parsed.keywords;
  std::vector<DsnProblem> problems;
  if (!all_ports(value_of(keywords, "port"))) {
    problems.push_back({"`port` of the connection string is no port", "a number up to 65535"});
  }
  constexpr std::array<std::string_view, 7> modes{"",        "disable",   "allow",      "prefer",
                                                  "require", "verify-ca", "verify-full"};
  if (std::ranges::find(modes, value_of(keywords, "sslmode")) == modes.end()) {
    problems.push_back({"`sslmode` of the connection string is none that libpq knows",
                        "disable, allow, prefer, require, verify-ca or verify-full"});
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

std::optional<std::string> passfile_in(std::string const& dsn) {
  auto const keywords = parse(dsn).keywords;
  auto const path = keywords ? value_of(*keywords, "passfile") : "";
  return path.empty() ? std::nullopt : std::optional(path);
}

}  // namespace runbookd::daemon
