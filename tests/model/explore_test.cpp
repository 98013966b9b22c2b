// Every state that small plans can reach, by every command, answer and crash.
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <unordered_map>

#include <doctest/doctest.h>

#include "tests/model/properties.h"
#include "tests/model/small_plans.h"

namespace runbookd::tests {
namespace {

using namespace planner;

struct Graph {
  std::vector<Node> nodes;
  std::vector<std::string> path;  // how each node was first reached
  std::vector<std::vector<int>> predecessors;
  std::set<std::string> broken;
  std::size_t edges = 0;
  std::map<std::pair<std::string, std::string>, std::set<std::string>>
      verbs;  // (mode, verb) -> results
};

void note_verb(Graph& graph, Node const& from, Move const& move) {
  if (!move.is_command) {
    return;
  }
  auto& cell = graph.verbs[{std::string{to_text(from.state.mode)}, move.name}];
  if (!move.refused) {
    cell.insert(move.events.empty() ? "no change" : std::string{to_text(move.next.state.mode)});
  }
}

void note_broken(Graph& graph, std::vector<std::string> const& rules, std::string const& path) {
  for (auto const& rule : rules) {
    if (graph.broken.size() < 12) {
      graph.broken.insert(rule + " — after: " + path);
    }
  }
}

// After a failover that lost a step only what leads on is followed; the random lives try the rest.
bool is_followed(Node const& node, Move const& move) {
  static std::set<std::string> const left_out{"pause",
                                              "throttle",
                                              "skip",
                                              "reject",
                                              "restart",
                                              "escalation",
                                              "attempt busy",
                                              "attempt interrupted",
                                              "attempt fenced",
                                              "attempt fenced by another daemon",
                                              "doubt not asked, the target is held",
                                              "attempt lost, applied",
                                              "attempt lost, not applied",
                                              "attempt done, schema differs",
                                              "fingerprint fails",
                                              "failover, nothing lost"};
  return !node.world.failed_over || !left_out.contains(move.name);
}

Graph explore(Plan const& plan) {
  Graph graph;
  std::unordered_map<std::string, int> seen;
  std::deque<int> open;
  auto const reach = [&](Node const& node, std::string const& path) {
    auto const [it, fresh] = seen.emplace(key_of(plan, node), static_cast<int>(graph.nodes.size()));
    if (fresh) {
      graph.nodes.push_back(node);
      graph.path.push_back(path);
      graph.predecessors.emplace_back();
      open.push_back(it->second);
      note_broken(graph, broken_rules(plan, node), path);
    }
    return it->second;
  };
  reach(begin(plan), "create");
  while (!open.empty()) {
    int const from = open.front();
    open.pop_front();
    Node const node = graph.nodes[from];
    auto const moves = every_move(plan, node);
    note_broken(graph, broken_offers(plan, node, moves), graph.path[from]);
    for (auto const& move : moves) {
      if (!is_followed(node, move)) {
        continue;
      }
      note_verb(graph, node, move);
      note_broken(graph, broken_rules(plan, node, move), graph.path[from] + ", " + move.name);
      if (move.events.empty()) {
        continue;
      }
      int const to = reach(move.next, graph.path[from] + ", " + move.name);
      graph.predecessors[to].push_back(from);
      ++graph.edges;
    }
  }
  return graph;
}

std::size_t count_leading_to_an_end(Graph const& graph) {
  std::vector<bool> ends(graph.nodes.size(), false);
  std::deque<int> open;
  for (int i = 0; i < std::ssize(graph.nodes); ++i) {
    if (is_final(graph.nodes[i].state.mode)) {
      ends[i] = true;
      open.push_back(i);
    }
  }
  std::size_t count = open.size();
  while (!open.empty()) {
    int const node = open.front();
    open.pop_front();
    for (int const before : graph.predecessors[node]) {
      if (!ends[before]) {
        ends[before] = true;
        ++count;
        open.push_back(before);
      }
    }
  }
  return count;
}

std::string joined(std::set<std::string> const& parts, char const* between) {
  std::string text;
  for (auto const& part : parts) {
    text += (text.empty() ? "" : between) + part;
  }
  return text;
}

using Verbs = std::map<std::pair<std::string, std::string>, std::set<std::string>>;

std::string table_of(Verbs const& verbs) {
  std::vector<std::string> const modes{"pending",   "running",     "waiting",   "pausing",
                                       "paused",    "failed",      "attention", "cancelling",
                                       "succeeded", "rolled_back", "cancelled"};
  std::vector<std::string> const names{"start",    "advance",    "approve", "reject",   "evaluate",
                                       "confirm",  "pause",      "resume",  "retry",    "skip",
                                       "resolve",  "rollback",   "cancel",  "throttle", "withdraw",
                                       "override", "countersign"};
  std::ostringstream out;
  out << "| verb |";
  for (auto const& mode : modes) {
    out << ' ' << mode << " |";
  }
  out << "\n|---|";
  for (std::size_t i = 0; i < modes.size(); ++i) {
    out << "---|";
  }
  out << '\n';
  for (auto const& name : names) {
    out << "| " << name << " |";
    for (auto const& mode : modes) {
      auto const cell = verbs.find({mode, name});
      bool const refused = cell == verbs.end() || cell->second.empty();
      out << ' ' << (refused ? "·" : joined(cell->second, ", ")) << " |";
    }
    out << '\n';
  }
  return out.str();
}

Verbs& verbs_of_all_plans() {
  static Verbs verbs;
  return verbs;
}

}  // namespace

TEST_CASE("every state that a small plan can reach keeps every rule and leads to an end") {
  for (auto const& [what, plan] : small_plans()) {
    CAPTURE(what);
    auto const graph = explore(plan);
    MESSAGE(what << ": " << graph.nodes.size() << " states, " << graph.edges << " edges");
    for (auto const& rule : graph.broken) {
      FAIL_CHECK(rule);
    }
    CHECK(graph.nodes.size() > 20);
    CHECK(count_leading_to_an_end(graph) == graph.nodes.size());
    for (auto const& [key, results] : graph.verbs) {
      verbs_of_all_plans()[key].insert(results.begin(), results.end());
    }
  }
}

TEST_CASE("the transition table in ARCHITECTURE.md is what the machine does") {
  std::string const path = std::string{RUNBOOKD_SOURCE_DIR} + "/ARCHITECTURE.md";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  auto document = text.str();
  std::string const open = "<!-- transition table: generated by tests/model -->\n";
  std::string const close = "<!-- end of transition table -->";
  auto const from = document.find(open);
  auto const to = document.find(close);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  auto const table = table_of(verbs_of_all_plans());
  if (std::getenv("RUNBOOKD_WRITE_TABLE") != nullptr) {
    document.replace(from + open.size(), to - from - open.size(), table);
    std::ofstream(path) << document;
    return;
  }
  CHECK(document.substr(from + open.size(), to - from - open.size()) == table);
}

}  // namespace runbookd::tests
