// What the program finds around it: streams, terminal, environment, clock. Tests bring their own.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "planner/catalog_json.h"
#include "planner/plan.h"
#include "planner/time.h"
#include "planner/ways_back_json.h"

namespace runbookd::ctl {

struct Surroundings {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool unicode = false;        // the locale says UTF-8
  bool no_color = false;       // NO_COLOR, or a dumb terminal
  std::string address;         // RUNBOOKCTL_ADDR
  std::string actor;           // RUNBOOKCTL_ACTOR, else the login name
  std::string token_file;      // RUNBOOKCTL_TOKEN_FILE
  std::string ca_file;         // RUNBOOKCTL_CA_FILE
  std::string config_home;     // XDG_CONFIG_HOME, else ~/.config
  bool socket_exists = false;  // the default one
  planner::Duration utc_offset{};
  std::function<planner::Moment()> now;
  // What is in the database of a connection string; this folder knows no PostgreSQL.
  std::function<planner::Result<planner::ServerCatalog>(std::string const& dsn)> read_catalog;
  // What that database says now of each `rollback: auto` that no text tells; the reasons where it
  // says nothing.
  std::function<planner::Result<planner::WaysBack>(std::string const& dsn,
                                                   planner::Plan const& plan)>
      ways_back;
  // A daemon that is away while a run is followed: when that is told, and when it is enough.
  planner::Duration outage_told_after{2'000};
  planner::Duration outage_borne_for{120'000};
};

Surroundings real_surroundings();

}  // namespace runbookd::ctl
