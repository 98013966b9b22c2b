// Private to planner/import*: sentences of a document that mean something for the run. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/import_parts.h"

namespace runbookd::planner::import {

struct Sentence {
  enum class Kind {
    talk,    // nothing that anybody does
    deploy,  // "Deploy version 2.3."
    act,     // "Stop the importer."
    wait,    // "Wait 24 hours after phase 1."
    sign,    // "Requires approval from the DBA."
    unclear  // it asks for something, and of what is not told
  } kind = Kind::talk;
  std::string text;
  Duration lasts{};  // of a wait
  int after = 0;     // … the number of the phase that it counts from; 0 = none is named
  std::string who;   // who signs
};
std::vector<Sentence> sentences_in(std::string_view text);
// "Contract (after 72 hours, DBA sign-off required)": what the heading asks for.
std::vector<Sentence> asked_by_heading(std::string_view title);

// What they make of a phase; what is not clear is a finding at the line.
void put_sentences(Report& report, std::vector<Sentence> const& sentences, int line,
                   PhaseText& phase);
// Sentences for which there is no place.
void tell_lost(Report& report, std::vector<Sentence> const& sentences, int line,
               std::string const& where);
// "Soak: 24 hours" without emphasis, where a label like this one means something.
std::optional<Field> plain_field(std::string const& text, int line);
// True = the field says that what comes below is the way back.
bool put_phase_field(Report& report, Field const& field, PhaseText& phase);
// A block of commands for a shell.
bool is_commands(Block const& code);

}  // namespace runbookd::planner::import
