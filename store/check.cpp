#include "store/check.h"

#include <filesystem>
#include <utility>

#include "planner/digest.h"
#include "store/audit_lines.h"
#include "store/journal.h"
#include "store/mark.h"
#include "store/schema.h"
#include "store/store.h"

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

constexpr int page_of_events = 1000;
constexpr std::size_t problems_told = 100;

// A run's events may stand there without its line, and the other way round.
constexpr auto all_runs = "SELECT id FROM run UNION SELECT run FROM event ORDER BY 1";
constexpr auto all_plans = "SELECT digest, canonical FROM plan";

class Examination {
 public:
  explicit Examination(Connection& connection) : connection_(connection) {}

  StoreReport run() {
    count();
    part("its tables", [this] { structure(); });
    part("its plans", [this] { plans(); });
    part("its runs", [this] { runs(); });
    part("its audit", [this] { audit(); });
    return std::move(report_);
  }

 private:
  void count() {
    report_.path = connection_.path();
    std::error_code ignored;
    report_.bytes = static_cast<std::int64_t>(std::filesystem::file_size(report_.path, ignored));
    part("its tables", [this] {
      report_.id = connection_.text("SELECT id FROM store");
      report_.schema_version = connection_.integer("PRAGMA user_version");
      report_.plans = connection_.integer("SELECT count(*) FROM plan");
      report_.runs = connection_.integer("SELECT count(*) FROM run");
      report_.unfinished = connection_.integer("SELECT count(*) FROM run WHERE final = 0");
      report_.events = connection_.integer("SELECT count(*) FROM event");
      report_.fingerprints = connection_.integer("SELECT count(*) FROM fingerprint");
    });
  }

  void structure() {
    auto const text = [](Statement const& row) { return row.text(0); };
    for (auto const& said : Statement(connection_, "PRAGMA integrity_check").all(text)) {
      if (said != "ok")
        problem("SQLite finds: " + said);
    }
    for (auto const& table : Statement(connection_, "PRAGMA foreign_key_check").all(text))
      problem("a row of table " + table + " refers to one that is not there");
  }

  void plans() {
    Statement(connection_, all_plans).each([this](Statement const& row) {
      auto const digest = row.text(0);
      if (digest != planner::digest_text(row.text(1)))
        problem("the text of plan " + digest + " does not have its digest");
    });
  }

  void runs() {
    auto const journal = Journal(connection_);
    auto const name = [](Statement const& row) { return row.text(0); };
    for (auto const& run : Statement(connection_, all_runs).all(name)) {
      if (auto const wrong = journal.verify({run}); wrong != 0) {
        problem("the record of run " + run + " does not fit together from event " +
                std::to_string(wrong) + " on");
        continue;
      }
      events(journal, {run});
    }
  }

  // Stores of older versions have none.
  void audit() {
    if (connection_.integer("SELECT count(*) FROM sqlite_master WHERE name = 'audit'") == 0)
      return;
    Audit const kept(connection_);
    AuditWalk walk(kept, "runbookd/" + report_.id);
    while (walk.next(page_of_events)) {
    }
    report_.audit_entries = walk.file().entries();
    if (!walk.problem().empty())
      problem("the audit does not fit together: " + walk.problem());
  }

  void events(Journal const& journal, planner::RunId const& run) {
    for (planner::EventSeq after = 0;;) {
      auto const page = journal.events_after(run, after, page_of_events);
      if (!page)
        problem(page.error().detail);
      if (!page || page->empty())
        return;
      after = page->back().seq;
    }
  }

  // What cannot even be read is a finding as well, and the other parts are looked at all the same.
  template <typename Look>
  void part(std::string const& what, Look look) {
    auto const looked = guarded([&] { look(); });
    if (!looked)
      problem(what + " cannot be read: " + looked.error().detail);
  }
  void problem(std::string sentence) {
    if (report_.problems.size() < problems_told)
      report_.problems.push_back(std::move(sentence));
  }

  Connection& connection_;
  StoreReport report_;
};

Result<void> expect_there(std::string const& path) {
  if (!is_missing_or_empty(path))
    return {};
  return tl::unexpected(
      Error{.code = ErrorCode::store_unavailable,
            .detail = "there is no store at " + path + ": the file is missing or empty",
            .next = "ls -l '" + path + "'"});
}

}  // namespace

Result<std::unique_ptr<Connection>> connect_at_rest(std::string const& path) {
  auto ours = expect_there(path)
                  .and_then([&] { return read_header(path); })
                  .and_then([&](FileHeader const& header) { return expect_ours(path, header); });
  if (!ours)
    return tl::unexpected(ours.error());
  return guarded([&] {
    auto const had_log = !is_missing_or_empty(path + "-wal");
    auto connection = std::make_unique<Connection>(path);
    if (had_log)
      connection->at_close(Connection::AtClose::keep_log);
    connection->configure(0);
    return connection;
  });
}

Result<AtRest> open_at_rest(std::string const& name) {
  auto const path = usable_path(name);
  if (!path)
    return tl::unexpected(path.error());
  AtRest opened;
  if (std::filesystem::exists(*path + ".lock")) {
    auto lock = FileLock::take(*path);
    if (!lock)
      return tl::unexpected(lock.error());
    opened.lock = std::move(*lock);
  }
  auto connection = connect_at_rest(*path);
  if (!connection)
    return tl::unexpected(connection.error());
  opened.connection = std::move(*connection);
  return opened;
}

StoreReport report_on(Connection& connection) {
  auto report = Examination(connection).run();
  if (!report.problems.empty())
    return report;
  auto const right = marked(connection.path()).and_then([&](auto const& mark) {
    return expect_not_behind(connection.path(), {report.id, report.events}, mark);
  });
  if (!right)
    report.problems.push_back(right.error().detail);
  return report;
}

Result<StoreReport> check_store(std::string const& path) {
  auto const opened = open_at_rest(path);
  if (!opened)
    return tl::unexpected(opened.error());
  return report_on(*opened->connection);
}

}  // namespace runbookd::store
