// One invocation: what was asked, where it goes, and how it speaks.
#pragma once

#include <chrono>
#include <string>

#include "web/ctl/client.h"
#include "web/ctl/commands.h"
#include "web/ctl/line.h"
#include "web/ctl/render.h"
#include "web/ctl/surroundings.h"

namespace runbookd::ctl {

struct Session {
  Surroundings& world;
  Global const& global;
  Client client;
  Look look;

  bool as_json() const { return global.output == Output::json || global.output == Output::ndjson; }
  bool may_ask() const { return world.in_is_terminal && world.out_is_terminal && !global.no_input; }
  View view() const;
};

// Data, for people or programs.
void put(Session& session, std::string const& line);
void put(Session& session, Lines const& lines);
// A document of the daemon, unchanged; on one line for ndjson.
void put_document(Session& session, std::string const& document);
// A word to the person at the terminal; silent with -q and in JSON.
void tell(Session& session, std::string const& line);
Exit report(Session& session, Failure const& failure);

}  // namespace runbookd::ctl
