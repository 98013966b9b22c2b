#include "config/settings.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "config/reader.h"
#include "planner/document.h"

namespace runbookd::config {
namespace {

using planner::Node;

std::vector<ListenAddress> read_listen(Reader& reader, Node const* node) {
  std::vector<ListenAddress> addresses;
  for (auto const* item : reader.items(node)) {
    auto const text = reader.text(item);
    if (!text) {
      continue;
    }
    auto const address = parse_listen(*text);
    if (!address) {
      reader.problem(*item, "config/listen", address.error().detail, address.error().next);
    } else if (std::ranges::find(addresses, *address) != addresses.end()) {
      reader.problem(*item, "config/listen", "\"" + *text + "\" stands here twice");
    } else {
      addresses.push_back(*address);
    }
  }
  if (node != nullptr && reader.items(node).empty()) {
    reader.problem(*node, "config/listen", "the daemon needs at least one address",
                   "listen: 127.0.0.1:8090");
  }
  return addresses;
}

StoreSettings read_store(Reader& reader, Node const* node) {
  StoreSettings store;
  if (node == nullptr || !reader.mapping(*node, {"path", "max_size"})) {
    return store;
  }
  if (auto const path = reader.text(node->find("path"))) {
    store.path = reader.beside(*path);
  }
  if (auto const size = reader.size(node->find("max_size"))) {
    constexpr std::int64_t smallest = 1LL << 20U;
    store.max_bytes = *size;
    if (*size != 0 && *size < smallest) {
      reader.problem(*node->find("max_size"), "config/value", "the store needs at least 1MiB");
    }
  }
  return store;
}

LogSettings read_log(Reader& reader, Node const* node) {
  LogSettings log;
  if (node == nullptr || !reader.mapping(*node, {"level", "format"})) {
    return log;
  }
  log.level = reader.one_of(node->find("level"), {"trace", "debug", "info", "warning", "error"})
                  .value_or(log.level);
  auto const format = reader.one_of(node->find("format"), {"human", "json"});
  log.format = format == "json" ? LogFormat::json : LogFormat::human;
  return log;
}

// Names appear in addresses and on command lines.
bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

std::size_t count_of(Node const& node, std::initializer_list<std::string_view> keys) {
  return static_cast<std::size_t>(
      std::ranges::count_if(keys, [&](auto key) { return node.find(key) != nullptr; }));
}

void check_sources(Reader& reader, Node const& node) {
  if (count_of(node, {"dsn", "dsn_env", "dsn_file"}) != 1) {
    reader.problem(node, "config/target",
                   "the target \"" + node.key + "\" needs exactly one of dsn, dsn_env and dsn_file",
                   "dsn: host=db.example dbname=app user=runbookd");
  }
  if (count_of(node, {"passfile", "password_env", "password_file"}) > 1) {
    reader.problem(node, "config/target",
                   "the target \"" + node.key +
                       "\" has more than one of passfile, password_env and password_file");
  }
  if (!good_name(node.key)) {
    reader.problem(node, "config/target", "\"" + node.key + "\" cannot be a target's name",
                   "small letters, digits, - and _, at most 63");
  }
}

std::string path_of(Reader& reader, Node const* node) {
  auto const path = reader.text(node);
  return path ? reader.beside(*path) : "";
}

// Of the first key that is there; of the target itself where none is.
planner::Place place_of(Reader const& reader, Node const& node,
                        std::initializer_list<std::string_view> keys) {
  for (auto const key : keys) {
    if (auto const* value = node.find(key)) {
      return reader.place(*value);
    }
  }
  return reader.place(node);
}

TargetSource read_target(Reader& reader, Node const& node) {
  TargetSource target;
  target.name = node.key;
  target.place = reader.place(node);
  if (!reader.mapping(node, {"dsn", "dsn_env", "dsn_file", "passfile", "password_env",
                             "password_file", "connect_timeout", "description"})) {
    return target;
  }
  check_sources(reader, node);
  target.dsn_place = place_of(reader, node, {"dsn", "dsn_env", "dsn_file"});
  target.secret_place = place_of(reader, node, {"passfile", "password_env", "password_file"});
  target.description = reader.text(node.find("description")).value_or("");
  target.dsn = Secret(reader.text(node.find("dsn")).value_or(""));
  target.dsn_env = reader.text(node.find("dsn_env")).value_or("");
  target.dsn_file = path_of(reader, node.find("dsn_file"));
  target.passfile = path_of(reader, node.find("passfile"));
  target.password_env = reader.text(node.find("password_env")).value_or("");
  target.password_file = path_of(reader, node.find("password_file"));
  target.connect_timeout =
      reader.duration(node.find("connect_timeout")).value_or(target.connect_timeout);
  return target;
}

std::vector<TargetSource> read_targets(Reader& reader, Node const* node) {
  std::vector<TargetSource> targets;
  if (node == nullptr) {
    return targets;
  }
  if (node->kind != Node::Kind::mapping) {
    reader.problem(*node, "config/wrong-type",
                   "`targets` needs names and what they stand for, found " +
                       std::string(planner::to_text(node->kind)),
                   "targets: {main: {dsn: host=db.example dbname=app user=runbookd}}");
    return targets;
  }
  for (auto const& child : node->children) {
    targets.push_back(read_target(reader, child));
  }
  return targets;
}

std::vector<std::string> read_hosts(Reader& reader, Node const* node) {
  std::vector<std::string> hosts;
  for (auto const* item : reader.items(node)) {
    if (auto host = reader.text(item)) {
      hosts.push_back(*std::move(host));
    }
  }
  return hosts;
}

GrantsByName read_grants_by_name(Reader& reader, Node const* node) {
  GrantsByName listed;
  if (node == nullptr) {
    return listed;
  }
  if (node->kind != Node::Kind::mapping) {
    reader.problem(*node, "config/wrong-type", "names and their roles belong here",
                   "{ana: operator, ben: [viewer, approver]}");
    return listed;
  }
  for (auto const& child : node->children) {
    for (auto const* item : reader.items(&child)) {
      auto const text = reader.text(item);
      auto grant = planner::read_grant(text.value_or(""));
      if (text && !grant) {
        reader.problem(*item, "config/role", grant.error().detail, grant.error().next);
      } else if (text) {
        listed[child.key].push_back(*std::move(grant));
      }
    }
  }
  return listed;
}

AccessSettings read_access(Reader& reader, Node const* node) {
  if (node == nullptr || !reader.mapping(*node, {"users", "groups"})) {
    return {};
  }
  return {.users = read_grants_by_name(reader, node->find("users")),
          .groups = read_grants_by_name(reader, node->find("groups"))};
}

std::optional<TlsSettings> read_tls(Reader& reader, Node const* node) {
  if (node == nullptr || !reader.mapping(*node, {"certificate", "key"})) {
    return std::nullopt;
  }
  TlsSettings tls{.certificate = path_of(reader, node->find("certificate")),
                  .key = path_of(reader, node->find("key"))};
  if (tls.certificate.empty() || tls.key.empty()) {
    reader.problem(*node, "config/tls", "tls needs a certificate and its key",
                   "tls: {certificate: /etc/runbookd/cert.pem, key: /etc/runbookd/key.pem}");
  }
  return tls;
}

Settings read_root(Reader& reader, Node const& root) {
  Settings settings;
  if (root.kind == Node::Kind::null ||
      !reader.mapping(root, {"listen", "store", "log", "targets", "shutdown_timeout",
                             "allowed_hosts", "access", "tls"})) {
    return settings;
  }
  if (auto const* listen = root.find("listen")) {
    settings.listen = read_listen(reader, listen);
  }
  settings.store = read_store(reader, root.find("store"));
  settings.log = read_log(reader, root.find("log"));
  settings.targets = read_targets(reader, root.find("targets"));
  settings.shutdown_timeout =
      reader.duration(root.find("shutdown_timeout")).value_or(settings.shutdown_timeout);
  settings.allowed_hosts = read_hosts(reader, root.find("allowed_hosts"));
  settings.access = read_access(reader, root.find("access"));
  settings.tls = read_tls(reader, root.find("tls"));
  if (std::ranges::any_of(settings.listen, &ListenAddress::tls) && !settings.tls) {
    reader.problem(root, "config/tls", "an address with tls: needs a certificate",
                   "tls: {certificate: /etc/runbookd/cert.pem, key: /etc/runbookd/key.pem}");
  }
  return settings;
}

}  // namespace

TargetSource const* Settings::target(std::string_view name) const {
  auto const found = std::ranges::find(targets, name, &TargetSource::name);
  return found == targets.end() ? nullptr : &*found;
}

ReadSettings read_settings(std::string_view text, std::string const& file) {
  auto const document = planner::read_document(text, file);
  Reader reader(file);
  reader.add(document.findings);
  auto settings = document.root ? read_root(reader, *document.root) : Settings{};
  auto targets = settings.targets;
  if (planner::has_error(reader.findings())) {
    return {.settings = std::nullopt, .findings = reader.findings(), .targets = std::move(targets)};
  }
  return {.settings = std::move(settings),
          .findings = reader.findings(),
          .targets = std::move(targets)};
}

ReadSettings load_settings(std::string const& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string const text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) {
    return {.settings = std::nullopt,
            .findings = {{.rule = "config/unreadable",
                          .severity = planner::Severity::error,
                          .place = {.file = file},
                          .message = "the file cannot be read",
                          .fix = "check that it exists and that the daemon's user may read it"}}};
  }
  return read_settings(text, file);
}

}  // namespace runbookd::config
