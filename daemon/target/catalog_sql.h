// The questions by which a target's catalog is read. Private to daemon/target.
#pragma once

#include <string>

namespace runbookd::daemon::catalog_sql {

// Lists of names come joined by chr(31); numbers in the first column are oids.
extern char const* const session;
extern char const* const types;
extern char const* const attributes;  // of composite types
extern char const* const functions;
extern char const* const triggers;
extern char const* const rules;
extern char const* const uses;
extern char const* const statistics;    // extended ones
extern char const* const publications;  // of single tables
extern char const* const members;       // of extensions
std::string relations(int server_version);
std::string columns();
std::string constraints(int server_version);
std::string indexes();

}  // namespace runbookd::daemon::catalog_sql
