// What was written by `plan render`, or in its form: each part of a plan under a heading with its
// name in code, its settings as fields, its SQL in a fence. Nothing here is guessed.
#include <array>

#include "planner/document.h"
#include "planner/import_parts.h"
#include "planner/variables.h"

namespace runbookd::planner::import {
namespace {

using Kind = Exact::Kind;

struct Word {
  std::string_view word;
  Kind kind;
};
// The longer ones first.
constexpr std::array words{Word{"requirement", Kind::requirement},
                           Word{"final check", Kind::final_check},
                           Word{"check", Kind::check},
                           Word{"watch", Kind::watch},
                           Word{"baseline", Kind::baseline},
                           Word{"step", Kind::step},
                           Word{"phase", Kind::phase}};

Draft json_of(Node const& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::scalar:
      if (node.plain && (node.text == "true" || node.text == "false")) {
        return node.text == "true";
      }
      return node.text;
    case Node::Kind::sequence: {
      auto list = Draft::array();
      for (Node const& child : node.children) {
        list.push_back(json_of(child));
      }
      return list;
    }
    case Node::Kind::mapping: {
      auto object = Draft::object();
      for (Node const& child : node.children) {
        object[child.key] = json_of(child);
      }
      return object;
    }
  }
  __builtin_unreachable();
}

// The plan file's own form, as it stands in a fence or behind a label.
Draft yaml_of(Report& report, std::string const& text, int line) {
  auto document = read_document(text, report.file);
  for (Finding& finding : document.findings) {
    finding.place.line += line - 1;
    report.findings.push_back(std::move(finding));
  }
  return document.root ? json_of(*document.root) : Draft(nullptr);
}

// "`{value: 0}`" or "{value: 0}"
Draft spelled(Report& report, Field const& field) {
  auto text = trimmed(field.value);
  if (text.size() > 1 && text.front() == '`' && text.back() == '`') {
    text = text.substr(1, text.size() - 2);
  }
  return yaml_of(report, text, field.line);
}

struct Setting {
  std::string_view label;
  char const* key;
  bool is_spelled = false;  // written as in the plan file
};
constexpr std::array settings{
    Setting{"kind", "kind"},
    Setting{"goal", "goal"},
    Setting{"application state", "application"},
    Setting{"deploy order", "deploy_order"},
    Setting{"soak", "soak"},
    Setting{"approval", "approval", true},
    Setting{"not before", "not_before", true},
    Setting{"description", "description"},
    Setting{"lock", "lock", true},
    Setting{"statement timeout", "statement_timeout"},
    Setting{"skippable", "skippable", true},
    Setting{"expected", "expect", true},
    Setting{"every", "every"},
    Setting{"timeout", "timeout"},
    Setting{"by hand", "manual"},
    Setting{"wait", "wait"},
    Setting{"irreversible", "irreversible"},
};

bool put_way_back(Field const& field, Draft& part) {
  if (field.label == "rollback by hand") {
    part["rollback"] = {{"manual", escape(field.value)}};
  } else if (field.label == "rollback" && field.value == "auto") {
    part["rollback"] = "auto";
  } else if (field.label == "rollback, nothing to do") {
    part["rollback"] = {{"nothing", escape(field.value)}};
  } else {
    return false;
  }
  return true;
}

void put_field(Report& report, Field const& field, Draft& part) {
  if (put_way_back(field, part)) {
    return;
  }
  for (Setting const& setting : settings) {
    if (field.label == setting.label) {
      part[setting.key] = setting.is_spelled ? spelled(report, field) : Draft(escape(field.value));
      return;
    }
  }
}

// SQL stands as it is; what SQL cannot be told from stands in the plan file's own form.
void put_code(Report& report, Block const& block, bool back, Draft& part) {
  Draft const action = block.info.starts_with("yaml")
                           ? yaml_of(report, block.text, block.first_line)
                           : Draft{{"sql", escape(block.text)}};
  if (back) {
    part["rollback"] = action;
  } else if (action.is_object()) {
    part.update(action);
  }
}

}  // namespace

std::optional<Exact> exact_heading(Block const& heading) {
  using RunKind = markdown::Run::Kind;
  if (heading.kind != Block::Kind::heading || heading.runs.size() < 2 ||
      heading.runs.back().kind != RunKind::code) {
    return std::nullopt;
  }
  auto const text = lower(heading.runs.front().text);
  for (Word const& one : words) {
    if (text.starts_with(one.word)) {
      return Exact{.kind = one.kind, .name = heading.runs.back().text};
    }
  }
  return std::nullopt;
}

Draft exact_part(Report& report, Exact const& exact, std::span<Block const> body) {
  Draft part{{"name", exact.name}};
  bool back = false;
  for (Block const& block : body) {
    if (block.kind == Block::Kind::code) {
      if (block.info != "text") {
        put_code(report, block, back, part);
      }
      back = false;
    } else if (block.kind == Block::Kind::paragraph || block.kind == Block::Kind::item) {
      for (Field const& field : fields_in(block.runs)) {
        back = field.label == "rollback" && field.value.empty();
        put_field(report, field, part);
      }
    }
  }
  return part;
}

}  // namespace runbookd::planner::import
