// The form of a file:
//   --@schema            what follows, up to the next line of this kind, is the target's schema
//   --@size T ROWS BYTES how large a table of it is
//   --! RULE RULE        the next statements are one case, in which these rules are found
//   --! safe             … in which nothing is found
// Words after --!: each (every line is a case of its own), @14 or @13-17 (server versions), and
// +schema, +tx (a tool runs it in one transaction), +timeouts (nobody sets a lock_timeout), +all
// (optional rules too), +minor=N.
#include "lint_cases.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "planner/effects.h"

namespace lint_cases {
namespace {

using namespace runbookd::planner;

void read_word(Case& one, bool& each, bool& schema, std::string const& word) {
  if (word == "each") {
    each = true;
  } else if (word.starts_with('@')) {
    auto const dash = word.find('-');
    one.from = std::stoi(word.substr(1));
    one.to = dash == std::string::npos ? one.from : std::stoi(word.substr(dash + 1));
  } else if (word == "+schema") {
    schema = true;
  } else if (word == "+tx") {
    one.options.in_transaction = true;
  } else if (word == "+timeouts") {
    one.options.timeouts_given = false;
  } else if (word == "+all") {
    one.options.optional = {"all"};
  } else if (word.starts_with("+minor=")) {
    one.options.server_minor = std::stoi(word.substr(7));
  } else if (word != "safe") {
    one.expected.push_back(word);
  }
}

class Reader {
 public:
  Reader(std::string file, std::vector<Case>& cases) : file_(std::move(file)), cases_(cases) {}

  void line(std::string const& text) {
    ++number_;
    if (text.starts_with("--!")) {
      end();
      begin(text.substr(3));
    } else if (text.starts_with("--@schema")) {
      end();
      schema_.clear();
      in_schema_ = true;
    } else if (text.starts_with("--@size")) {
      std::istringstream words(text.substr(7));
      words >> size_table_.emplace_back();
      words >> size_rows_.emplace_back();
      words >> size_bytes_.emplace_back();
    } else if (in_schema_) {
      schema_ += text + "\n";
    } else if (!text.empty() && each_ && !text.starts_with("-- ")) {
      add(text, number_);
    } else if (!each_) {
      sql_ += text + "\n";
    }
  }
  void end() {
    if (!each_ && sql_.find_first_not_of(" \n") != std::string::npos && begun_) {
      add(sql_, first_);
    }
    sql_.clear();
    begun_ = each_ = false;
  }

 private:
  void begin(std::string const& header) {
    in_schema_ = false;
    begun_ = true;
    each_ = with_schema_ = false;
    first_ = number_ + 1;
    next_ = {};
    next_.options.timeouts_given = true;
    std::istringstream words(header);
    for (std::string word; words >> word;) {
      read_word(next_, each_, with_schema_, word);
    }
    std::ranges::sort(next_.expected);
  }
  void add(std::string const& sql, int line) {
    auto one = next_;
    one.file = file_;
    one.line = line;
    one.sql = sql;
    one.schema = schema_;
    if (with_schema_) {
      Catalog catalog;
      catalog.complete = true;
      one.options.catalog = replay({.text = schema_}, std::move(catalog)).catalog;
      for (std::size_t i = 0; i < size_table_.size(); ++i) {
        one.options.catalog.change({"public", size_table_[i]}, [&](Relation& relation) {
          relation.rows = size_rows_[i];
          relation.bytes = relation.heap_bytes = size_bytes_[i];
        });
      }
    }
    cases_.push_back(std::move(one));
  }

  std::string file_, schema_, sql_;
  std::vector<Case>& cases_;
  std::vector<std::string> size_table_;
  std::vector<std::int64_t> size_rows_, size_bytes_;
  Case next_;
  int number_ = 0, first_ = 0;
  bool each_ = false, with_schema_ = false, in_schema_ = false, begun_ = false;
};

}  // namespace

std::vector<Case> read_all() {
  std::vector<Case> cases;
  std::vector<std::filesystem::path> files;
  for (auto const& entry :
       std::filesystem::directory_iterator(RUNBOOKD_SOURCE_DIR "/tests/planner/lint")) {
    if (entry.path().extension() == ".sql") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  for (auto const& path : files) {
    std::ifstream in(path);
    Reader reader(path.filename().string(), cases);
    for (std::string line; std::getline(in, line);) {
      reader.line(line);
    }
    reader.end();
  }
  return cases;
}

}  // namespace lint_cases
