#include "web/openapi.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "web/openapi_parts.h"
#include "web/openapi_schema.h"
#include "web/problem.h"
#include "web/router.h"

namespace runbookd::web {
namespace {

using planner::Capability;
using planner::ErrorCode;
using Codes = std::vector<ErrorCode>;

std::string ref(std::string const& kind, std::string const& name) {
  return "#/components/" + kind + "/" + name;
}

// ---- the files, joined

Tree joined_parts() {
  Tree all = Tree::object();
  for (auto const& part : openapi_parts()) {
    auto const tree = tree_of_yaml(part.name, part.text);
    for (auto const& [key, value] : tree.items()) {
      if (key == "components") {
        for (auto const& [kind, things] : value.items()) {
          all[key][kind].update(things);
        }
      } else if (key == "paths" || key == "events") {
        all[key].update(value);
      } else {
        all[key] = value;
      }
    }
  }
  return all;
}

// ---- schemas

// One schema for each kind of event, and the one that is any of them.
void add_events(Tree& schemas, Tree const& events) {
  Tree any = {{"oneOf", Tree::array()}, {"discriminator", {{"propertyName", "kind"}}}};
  for (auto const& [kind, members] : events.items()) {
    auto const name = "event." + kind;
    Tree schema = {{"like", "EventHead"}, {"all_but", Tree::array()}};
    schema["properties"] = {{"kind", {{"const", kind}}}};
    auto const own = plain_schema(members, schemas);
    if (own.contains("properties")) {
      schema["properties"].update(own["properties"]);
    }
    any["oneOf"].push_back({{"$ref", ref("schemas", name)}});
    any["discriminator"]["mapping"][kind] = ref("schemas", name);
    schemas[name] = std::move(schema);
  }
  schemas["Event"] = std::move(any);
}

void add_words(Tree& schemas) {
  auto& codes = schemas["ProblemCode"] = {{"type", "string"}, {"enum", Tree::array()}};
  for (auto const code : all_problems()) {
    codes["enum"].push_back(planner::to_slug(code));
  }
  std::set<std::string_view> needs;
  for (auto const& route : route_names()) {
    needs.insert(to_text(route.needs));
  }
  schemas["Capability"] = {{"type", "string"}, {"enum", needs}};
}

// Those that only lend their members to others are no part of the contract.
void drop_unused(Tree& document) {
  auto& schemas = document["components"]["schemas"];
  for (bool dropped = true; dropped;) {
    auto const text = document.dump();
    auto const before = schemas.size();
    auto kept = Tree::object();
    for (auto const& [name, schema] : schemas.items()) {
      if (text.find('"' + ref("schemas", name) + '"') != std::string::npos) {
        kept[name] = schema;
      }
    }
    schemas = std::move(kept);
    dropped = schemas.size() < before;
  }
}

// ---- problems

void add_examples(Tree& components) {
  for (auto const code : all_problems()) {
    auto const kind = problem_kind(code);
    auto body = Tree::parse(problem({.code = code, .detail = std::string(kind.meaning)}).body);
    components["examples"][std::string(planner::to_slug(code))] = {
        {"summary", kind.title}, {"description", kind.advice}, {"value", std::move(body)}};
  }
}

// What any request can meet before its path is looked at, and what its caller can.
Codes problems_of_all(RouteName const& route) {
  Codes codes{ErrorCode::malformed, ErrorCode::too_large, ErrorCode::host_not_allowed,
              ErrorCode::unsupported_type, ErrorCode::internal};
  if (route.needs == Capability::open) {
    return codes;
  }
  codes.insert(codes.end(), {ErrorCode::unauthenticated, ErrorCode::rate_limited,
                             ErrorCode::store_unavailable, ErrorCode::store_broken});
  if (route.needs != Capability::known) {
    codes.push_back(ErrorCode::capability_missing);
  }
  if (route.method != "GET") {
    codes.push_back(ErrorCode::forged_request);
  }
  bool const of_a_thing = route.pattern.find("{run}") != std::string_view::npos ||
                          route.pattern.find("{target}") != std::string_view::npos;
  if (of_a_thing) {
    codes.push_back(ErrorCode::not_found);
  }
  return codes;
}

char const* header_of(int status) {
  switch (status) {
    case 401:
      return "WwwAuthenticate";
    case 412:
      return "ETag";
    case 429:
    case 503:
      return "RetryAfter";
    default:
      return nullptr;
  }
}

constexpr std::pair<char const*, char const*> header_names[] = {
    {"WwwAuthenticate", "WWW-Authenticate"}, {"ETag", "ETag"}, {"RetryAfter", "Retry-After"}};

void add_header(Tree& response, char const* component) {
  for (auto const& [name, header] : header_names) {
    if (component != nullptr && std::string_view(name) == component) {
      response["headers"][header] = {{"$ref", ref("headers", name)}};
    }
  }
}

void add_problem(Tree& responses, ErrorCode code) {
  auto const kind = problem_kind(code);
  std::string const slug(planner::to_slug(code));
  auto& response = responses[std::to_string(kind.status)];
  if (response.is_null()) {
    response = Tree::object();
  }
  if (response.contains("$ref")) {  // a page has the status of what it shows
    return;
  }
  auto const said = response.value("description", std::string());
  response["description"] = said + (said.empty() ? "" : "; ") + slug;
  auto& content = response["content"]["application/problem+json"];
  content["schema"] = {{"$ref", ref("schemas", "Problem")}};
  content["examples"][slug] = {{"$ref", ref("examples", slug)}};
  if (response["content"].size() == 1) {
    add_header(response, header_of(kind.status));
  }
}

void add_problems(Tree& operation, RouteName const& route) {
  std::set<std::string> named;
  for (auto const& code : operation.value("x-runbookd-problems", Tree::array())) {
    named.insert(code.get<std::string>());
  }
  for (auto const code : problems_of_all(route)) {
    named.emplace(planner::to_slug(code));
  }
  operation["x-runbookd-problems"] = named;
  for (auto const code : all_problems()) {
    if (named.contains(std::string(planner::to_slug(code)))) {
      add_problem(operation["responses"], code);
    }
  }
}

// ---- operations

void add_path_parameters(Tree& operation, std::string_view pattern) {
  auto all = Tree::array();
  for (auto at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1)) {
    auto const name = pattern.substr(at + 1, pattern.find('}', at) - at - 1);
    all.push_back({{"$ref", ref("parameters", std::string(name))}});
  }
  auto const own = operation.value("parameters", Tree::array());
  all.insert(all.end(), own.begin(), own.end());
  if (!all.empty()) {
    operation["parameters"] = std::move(all);
  }
}

std::string lower(std::string_view method) {
  std::string text(method);
  for (auto& c : text) {
    c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

void add_what_the_router_knows(Tree& paths) {
  for (auto const& route : route_names()) {
    std::string const pattern(route.pattern);
    auto const method = lower(route.method);
    if (!paths.contains(pattern) || !paths[pattern].contains(method)) {
      continue;  // a test looks for these
    }
    auto& operation = paths[pattern][method];
    operation["x-runbookd-capability"] = planner::to_text(route.needs);
    if (route.needs == Capability::open) {
      operation["security"] = Tree::array();
    }
    add_path_parameters(operation, pattern);
    add_problems(operation, route);
  }
}

// References into these trees do not outlive a member that is added or removed beside.
std::string composed() {
  auto document = joined_parts();
  auto named = document["components"]["schemas"];
  add_words(named);
  add_events(named, document["events"]);
  document.erase("events");
  document["components"]["schemas"] = plain_schema(named, named);
  document["paths"] = plain_schema(document["paths"], named);
  add_examples(document["components"]);
  add_what_the_router_knows(document["paths"]);
  drop_unused(document);
  return document.dump();
}

}  // namespace

std::string const& openapi_document() {
  static std::string const document = composed();
  return document;
}

}  // namespace runbookd::web
