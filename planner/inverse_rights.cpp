// GRANT and REVOKE: a right that was there before stays, so that the text alone never tells.
#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"

namespace runbookd::planner::inverse {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

// What GRANT or REVOKE says, for the question that is asked of the catalog.
nlohmann::json rights_said(Node node) {
  auto said = nlohmann::json{{"gives", node.flag("is_grant")},
                             {"option", node.flag("grant_option")},
                             {"privileges", nlohmann::json::array()},
                             {"grantees", nlohmann::json::array()}};
  for (auto const& one : node.list("privileges")) {
    auto const name = upper(one.text("priv_name"));
    auto const columns = pg::names(one.list("cols"));
    said["privileges"].push_back({{"name", name.empty() ? "ALL" : name}, {"columns", columns}});
  }
  if (said["privileges"].empty()) {
    said["privileges"].push_back({{"name", "ALL"}, {"columns", nlohmann::json::array()}});
  }
  for (auto const& grantee : node.list("grantees")) {
    said["grantees"].push_back(
        grantee.text("roletype") == "ROLESPEC_PUBLIC" ? "" : grantee.text("rolename"));
  }
  return said;
}

}  // namespace

Changes of_rights(Node node) {
  if (!node.is("GrantStmt")) {
    return {};
  }
  auto const type = node.text("objtype");
  auto const what = pg::object_words(type);
  constexpr auto known = std::to_array<std::string_view>(
      {"TABLE", "SEQUENCE", "FUNCTION", "PROCEDURE", "ROUTINE", "SCHEMA", "TYPE", "DOMAIN"});
  bool const fits = std::ranges::find(known, what) != known.end() &&
                    node.text("targtype") != "ACL_TARGET_DEFAULTS" && !node["grantor"] &&
                    node.text("behavior") != "DROP_CASCADE";
  bool const named = std::ranges::all_of(node.list("grantees"), [](Node one) {
    return one.text("roletype") == "ROLESPEC_PUBLIC" || one.text("roletype") == "ROLESPEC_CSTRING";
  });
  bool const in_schema = node.text("targtype") == "ACL_TARGET_ALL_IN_SCHEMA";
  auto const said = rights_said(node).dump();
  Changes all;
  for (auto const& object : node.list("objects")) {
    auto const name = named_object(object);
    Thing const thing{Kind::other, {"", name}, "rights on"};
    all.push_back(fits && named ? asked(thing, Does::alters,
                                        {.about = About::rights,
                                         .kind = (in_schema ? "ALL " : "") + what,
                                         .object = name,
                                         .part = "",
                                         .detail = said},
                                        "which rights were there before")
                                : refused(thing, Does::alters,
                                          "which rights were there before is not known"));
  }
  return all;
}

}  // namespace runbookd::planner::inverse
