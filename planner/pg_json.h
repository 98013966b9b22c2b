// The JSON in which libpg_query hands out a tree, read into one flat array. Private to
// planner/pg_tree.*: this takes a fraction of the time that the parser itself takes, where a
// general reader of JSON takes a multiple of it. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace runbookd::planner::pg {

// A value, in front of all that is below it. Keys and texts stand in what was read.
struct Value {
  enum class Kind : std::uint8_t { object, list, text, number, yes, no, null };

  char const* key = nullptr;    // of the member of an object
  char const* words = nullptr;  // of a text, the digits of a number, the type of an object
  std::uint32_t words_size = 0;
  std::uint32_t size = 1;  // of itself and all below it, in values
  std::uint16_t key_size = 0;
  Kind kind = Kind::null;

  std::string_view field() const { return {key, key_size}; }
  std::string_view text() const { return {words, words_size}; }
  Value const* begin() const { return this + 1; }  // its members or items
  Value const* end() const { return this + size; }
  Value const* next() const { return end(); }  // beside it
};

// Escapes in `json` are resolved where they stand. An object {"ColumnRef": {…}} only says the type
// of the inner one, and becomes one value with it. Nothing where it cannot be read: what is not
// UTF-8 could not be told to anybody either.
std::vector<Value> read_json(char* json);

}  // namespace runbookd::planner::pg
