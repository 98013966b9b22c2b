// Manual pages in roff, for man(1).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "web/ctl/command_page.h"

namespace runbookd::ctl {

struct ManHead {
  std::string name;  // "runbookctl"
  int section = 1;
  std::string summary;   // behind the name, in a few words
  std::string see_also;  // "runbookd(8), …"
};

// Of a program: its commands, their options, those that every command knows, and its footer.
std::string man_page(ManHead const& head, CommandPage const& program);

// Of a file: sections of a title and a body. A body's lines are shown as they are where `verbatim`.
struct ManSection {
  std::string title, body;
  bool verbatim = false;
};
std::string man_page(ManHead const& head, std::span<ManSection const> sections);

// Every key that a plan may have, from its JSON Schema.
std::string plan_manual(ManHead const& head, std::string_view schema);

}  // namespace runbookd::ctl
