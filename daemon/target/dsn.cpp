#include "daemon/target/dsn.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <libpq-fe.h>

#include "daemon/target/dsn_values.h"
#include "planner/nearest.h"

namespace runbookd::daemon {
namespace {

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

// What libpq stumbles over may be a piece of a password that lacks its quotation marks, or of one
// in an address that lacks its %: where one may stand before it, it is not shown.
bool may_show(std::string const& key, std::string const& dsn) {
  auto const before = dsn.substr(0, dsn.find("password"));
  auto const scheme = dsn.find("://");
  if (scheme == std::string::npos) {
    return (" " + before).find(" " + key + "=") != std::string::npos;
  }
  auto const colon = dsn.find(':', scheme + 3);
  bool const with_password =
      colon != std::string::npos && dsn.find('@', colon) != std::string::npos;
  return !with_password && before.find(key + "=") != std::string::npos;
}

DsnProblem unknown_keyword(std::string const& key, std::string const& dsn) {
  auto const near = planner::nearest(key, known_keywords());
  return {"the connection string has a keyword that libpq does not know" +
              (may_show(key, dsn) ? ": \"" + key + "\"" : ""),
          near.empty() ? "known are host, port, dbname, user, sslmode and libpq's others; a "
                         "password with blanks needs quotation marks"
                       : "did you mean \"" + near + "\"?"};
}

DsnProblem problem_of(std::string const& dsn, std::string const& complaint) {
  for (std::string_view const words :
       {"invalid connection option \"", "invalid URI query parameter: \""}) {
    if (auto const found = complaint.find(words); found != std::string::npos) {
      auto const begin = found + words.size();
      return unknown_keyword(complaint.substr(begin, complaint.find('"', begin) - begin), dsn);
    }
  }
  return unreadable_problem(complaint);
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
    return {problem_of(dsn, parsed.complaint)};
  }
  return value_problems(*parsed.keywords);
}

std::optional<std::string> passfile_in(std::string const& dsn) {
  auto const keywords = parse(dsn).keywords;
  auto const path = keywords ? value_of(*keywords, "passfile") : "";
  return path.empty() ? std::nullopt : std::optional(path);
}

}  // namespace runbookd::daemon
