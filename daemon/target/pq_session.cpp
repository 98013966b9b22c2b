#include <charconv>
#include <map>
#include <utility>

#include <pqxx/pqxx>
#include <sys/socket.h>

#include "daemon/target/dsn.h"
#include "daemon/target/line.h"
#include "daemon/target/pq_failure.h"
#include "daemon/target/sent_crash.h"
#include "daemon/target/session.h"
#include "daemon/target/transaction.h"

namespace runbookd::daemon {
namespace {

// libpqxx prints notices on stderr unless somebody takes them.
class QuietNotices : public pqxx::errorhandler {
 public:
  explicit QuietNotices(pqxx::connection_base& connection) : pqxx::errorhandler(connection) {}
  bool operator()(char const[]) noexcept override { return false; }
};

Rows rows_of(pqxx::result const& result) {
  Rows answer;
  answer.affected = static_cast<std::int64_t>(result.affected_rows());
  for (pqxx::row::size_type column = 0; column < result.columns(); ++column) {
    answer.columns.emplace_back(result.column_name(column));
  }
  answer.rows.reserve(result.size());
  for (auto const& row : result) {
    auto& cells = answer.rows.emplace_back();
    cells.reserve(row.size());
    for (auto const& field : row) {
      cells.push_back(field.is_null() ? Cell() : Cell(std::string(field.c_str(), field.size())));
    }
  }
  return answer;
}

// libpq would cut the text at the zero byte and run what stands before it.
SqlFailure zero_byte(std::string_view sql) {
  return {.sqlstate = "22021",
          .message = "the SQL contains a zero byte, which PostgreSQL cannot hold; nothing was sent",
          .statement = std::string(sql)};
}

SqlFailure no_answer(std::string_view sql) {
  return {.message =
              "no answer came, and the connection was given up: its session was ended there, the "
              "server does not answer, or something between us and it has forgotten the connection",
          .statement = std::string(sql),
          .fate = SqlFailure::Fate::unknown};
}

class PqSession final : public Session {
 public:
  explicit PqSession(std::string const& dsn) : connection_(dsn), notices_(connection_) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection_.inhibit_reactivation(true);  // a silent reconnect would drop our locks and timeouts
#pragma GCC diagnostic pop
    pid_ = connection_.backendpid();
    version_ = connection_.server_version();
    line_ = std::make_shared<Line>(connection_.sock());
  }

  SqlResult<Rows> run(std::string_view sql) override {
    return guarded(sql, [&](pqxx::nontransaction& wire) { return wire.exec(std::string(sql)); });
  }

  SqlResult<Rows> run(std::string const& sql, std::vector<Cell> const& arguments) override {
    std::vector<char const*> texts;
    for (auto const& argument : arguments) {
      texts.push_back(argument ? argument->c_str() : nullptr);
    }
    return guarded(sql, [&](pqxx::nontransaction& wire) {
      return wire.exec_prepared(prepared(sql), pqxx::prepare::make_dynamic_params(texts));
    });
  }

  SqlResult<void> parse(std::string const& sql) override {
    if (auto const read = guarded(sql,
                                  [&](pqxx::nontransaction&) {
                                    connection_.prepare_now(prepared(sql));
                                    return pqxx::result();
                                  });
        !read) {
      return tl::unexpected(read.error());
    }
    return {};
  }

  int pid() const override { return pid_; }
  int server_version() const override { return version_; }
  bool alive() const override { return connection_.is_open() && !line_->is_cut(); }
  std::shared_ptr<Line> line() const override { return line_; }

  std::string quote_name(std::string_view name) const override {
    std::string text = "\"";
    for (char const c : name) {
      text += c == '"' ? "\"\"" : std::string(1, c);
    }
    return text + "\"";
  }

  // Right whatever standard_conforming_strings says.
  std::string quote_literal(std::string_view literal) const override {
    bool const escaped = literal.find('\\') != std::string_view::npos;
    std::string text = escaped ? " E'" : "'";
    for (char const c : literal) {
      text += c == '\'' || c == '\\' ? std::string(2, c) : std::string(1, c);
    }
    return text + "'";
  }

#ifdef RUNBOOKD_TEST_HOOKS
  // The simple-query message as it stands in the protocol; libpqxx only sends what it waits for.
  void send_and_forget(std::string_view sql) const {
    auto const size = static_cast<std::uint32_t>(sql.size() + 5);
    std::string message = "Q";
    for (int shift = 24; shift >= 0; shift -= 8) {
      message += static_cast<char>(size >> shift);
    }
    message += std::string(sql) + '\0';
    [[maybe_unused]] auto const sent =
        ::send(connection_.sock(), message.data(), message.size(), MSG_NOSIGNAL);
  }
#endif

 private:
  template <typename Call>
  SqlResult<Rows> guarded(std::string_view sql, Call const& call) {
    if (sql.find('\0') != std::string_view::npos) {
      return tl::unexpected(zero_byte(sql));
    }
    try {
      Line::Asking const asking(*line_);
      pqxx::nontransaction wire(connection_);
      return rows_of(call(wire));
    } catch (pqxx::pqxx_exception const&) {
      return tl::unexpected(line_->is_cut() ? no_answer(sql) : failure_in_flight(sql));
    }
  }

  std::string const& prepared(std::string const& sql) {
    auto const [entry, is_new] = names_.try_emplace(sql, "s" + std::to_string(names_.size()));
    if (is_new) {
      connection_.prepare(entry->second, sql);
    }
    return entry->second;
  }

  pqxx::connection connection_;
  QuietNotices notices_;
  std::map<std::string, std::string> names_;
  std::shared_ptr<Line> line_;
  int pid_ = 0;
  int version_ = 0;
};

// An idle session of ours is nobody's mistake, and a backend whose client died must not work on for
// minutes. Servers before 14 know neither setting. What we commit survives a crash of the server,
// whatever the role's default is; and a mark of our own is found again where nobody stands between.
std::string settled_in_sql(Session const& session) {
  constexpr int knows_both = 140000;
  std::string const modern =
      session.server_version() < knows_both
          ? ""
          : "SET idle_session_timeout = 0; SET client_connection_check_interval = '1s'; ";
  return modern + "SET runbookd.session = '" + std::to_string(session.pid()) + "'; SELECT " +
         durable_commit("false") + "; ";
}

void settle_in(Session& session) { (void)session.run(settled_in_sql(session)); }

}  // namespace

SqlResult<std::unique_ptr<Session>> connect(TargetSettings const& target,
                                            std::string const& application_name) {
  auto const dsn = session_dsn(target, application_name);
  if (!dsn) {
    return tl::unexpected(SqlFailure{.message = "target " + target.name + ": " + dsn.error()});
  }
  try {
    auto session = std::make_unique<PqSession>(*dsn);
    session->line()->answer_within(target.connect_timeout);
    settle_in(*session);
    return session;
  } catch (pqxx::failure const& e) {
    return tl::unexpected(connection_refused(target, e.what()));
  }
}

std::optional<std::int64_t> known_number_in(Cell const& cell) {
  std::int64_t value = 0;
  if (!cell ||
      std::from_chars(cell->data(), cell->data() + cell->size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

std::int64_t number_in(Cell const& cell) { return known_number_in(cell).value_or(0); }

#ifdef RUNBOOKD_TEST_HOOKS
void crash_once_sent(store::CrashPoint point, Session const& session, std::string_view sql) {
  if (!store::crash_is_due(point)) {
    return;
  }
  if (auto const* wire = dynamic_cast<PqSession const*>(&session)) {
    wire->send_and_forget(sql);
  }
  store::crash();
}
#endif

SqlResult<void> clean_session(Session& session) {
  auto const cleaned =
      session.run("RESET SESSION AUTHORIZATION; RESET ALL; DISCARD TEMP; " +
                  settled_in_sql(session) + "SELECT pg_catalog.pg_advisory_unlock_all()");
  return cleaned ? SqlResult<void>{} : tl::unexpected(cleaned.error());
}

}  // namespace runbookd::daemon
