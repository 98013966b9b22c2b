#include "daemon/target/dsn.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>

#include <libpq-fe.h>

namespace runbookd::daemon {
namespace {

using Keywords = std::map<std::string, std::string>;

// libpq's own words for a malformed string may quote it, password and all; so they are not passed
// on.
constexpr auto unreadable =
    "the connection string cannot be read; it needs the form \"host=… port=… dbname=… user=…\"";

tl::expected<Keywords, std::string> parse(std::string const& dsn) {
  char* complaint = nullptr;
  auto const options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>(
      PQconninfoParse(dsn.c_str(), &complaint), &PQconninfoFree);
  if (complaint != nullptr) {
    PQfreemem(complaint);
  }
  if (!options) {
    return tl::unexpected(std::string(unreadable));
  }
  Keywords keywords;
  for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      keywords.emplace(option->keyword, option->val);
    }
  }
  return keywords;
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
  auto const keywords = parse(dsn);
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
  auto keywords = parse(target.dsn);
  if (!keywords) {
    return tl::unexpected(keywords.error());
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

}  // namespace runbookd::daemon
