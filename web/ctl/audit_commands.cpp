// Who asked for what: the audit searched, taken along, looked through.
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include "web/ctl/perform.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

constexpr auto key_path = "/api/v1/audit/key";

std::string search_target(AuditSearch const& command, std::string const& run) {
  constexpr int largest_page = 500;
  auto target = "/api/v1/audit?limit=" + std::to_string(std::min(command.limit, largest_page));
  auto const add = [&target](std::string const& name, std::string const& value) {
    target += value.empty() ? "" : "&" + name + "=" + percent_encode(value);
  };
  add("actor", command.actor);
  add("action", command.action);
  add("run", run);
  add("outcome", command.outcome);
  add("since", command.since);
  add("until", command.until);
  return target;
}

std::string standing_words(Json const& entry) {
  auto const& before = child(entry, "before");
  auto const& after = child(entry, "after");
  auto const from = text_of(before, "state");
  auto const to = text_of(after, "state");
  if (to.empty() || from == to) {
    return from.empty() ? to : from;
  }
  return from.empty() ? to : from + " to " + to;
}

// "17  2026-12-01T03:12:07.123Z  ana  pause  allowed  run_0a1b… (running to pausing)  "p99 up""
std::string entry_line(Json const& entry) {
  auto line = std::to_string(number_of(entry, "seq")) + "  " + text_of(entry, "time") + "  " +
              (has_text(entry, "actor") ? clean(text_of(entry, "actor")) : "nobody") + "  " +
              clean(text_of(entry, "action")) + "  " + text_of(entry, "outcome");
  auto const add = [&line](std::string const& text) { line += text.empty() ? "" : "  " + text; };
  add(text_of(entry, "problem"));
  add(clean(text_of(entry, "run")));
  auto const standing = standing_words(entry);
  add(standing.empty() ? "" : "(" + standing + ")");
  add(flag_of(entry, "late") ? "late" : "");
  add(has_text(entry, "reason") ? '"' + clean(text_of(entry, "reason")) + '"' : "");
  add(clean(text_of(entry, "detail")));
  add(number_of(entry, "count") > 1 ? std::to_string(number_of(entry, "count")) + " times" : "");
  return line;
}

// A file that nobody else may read, and none that is there already.
class NewFile {
 public:
  explicit NewFile(std::string const& path)
      : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
  ~NewFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  NewFile(NewFile const&) = delete;
  NewFile& operator=(NewFile const&) = delete;
  bool is_open() const { return descriptor_ >= 0; }
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      auto const size = ::write(descriptor_, bytes.data(), bytes.size());
      if (size < 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  bool keep() const { return ::fsync(descriptor_) == 0; }

 private:
  int descriptor_;
};

Failure file_failure(std::string const& path) {
  return {Exit::unexpected, "audit export", path + ": " + std::strerror(errno),
          "runbookctl audit export --to ANOTHER-FILE", ""};
}

// Hands everything over as it comes; the daemon says where the end is.
Maybe<bool> copy(HttpStream& stream, Address const& address,
                 std::function<bool(std::string const&)> const& take) {
  constexpr int patience = 60'000;
  for (bool more = true; more;) {
    pollfd waiting{.fd = stream.descriptor(), .events = POLLIN, .revents = 0};
    auto const bytes = stream.read();
    if (!bytes) {
      return tl::unexpected(unreachable(address, bytes.error(), "audit export"));
    }
    if (!take(*bytes)) {
      return false;
    }
    more = !bytes->empty() || !stream.ended();
    if (bytes->empty() && more && ::poll(&waiting, 1, patience) == 0) {
      return tl::unexpected(
          unreachable(address, {TransportFailure::Kind::timed_out, "nothing came for a minute"},
                      "audit export"));
    }
  }
  return true;
}

Exit put_text(Session& session, char const* member, std::string const& what) {
  auto const answer = session.client.get(key_path, what);
  if (!answer) {
    return report(session, answer.error());
  }
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  auto text = text_of(parse_json(answer->body), member);
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  put(session, text);
  return Exit::done;
}

}  // namespace

Exit perform(Session& session, AuditSearch const& command) {
  std::string run = command.run;
  if (!run.empty()) {
    auto whole = session.client.run_id(run);
    if (!whole) {
      return report(session, whole.error());
    }
    run = *std::move(whole);
  }
  int left = command.limit;
  auto const done = session.client.each_row(
      search_target(command, run), "entries", "audit search", [&](Json const& entry) {
        put(session, session.as_json() ? to_line(entry) : entry_line(entry));
        return --left > 0;
      });
  return done ? Exit::done : report(session, done.error());
}

Exit perform(Session& session, RunReport const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const format = session.as_json() ? "json" : command.format;
  auto const answer =
      session.client.get(run_path(*run) + "/report?format=" + format, "run report " + command.run);
  if (!answer) {
    return report(session, answer.error());
  }
  session.world.out << answer->body << (answer->body.ends_with('\n') ? "" : "\n");
  return Exit::done;
}

Exit perform(Session& session, AuditExport const& command) {
  auto stream = session.client.open({.method = "GET",
                                     .target = "/api/v1/audit/export",
                                     .headers = {{"Accept", "application/x-ndjson"}},
                                     .body = ""},
                                    "audit export");
  if (!stream) {
    return report(session, stream.error());
  }
  if (command.to.empty()) {
    auto const copied = copy(*stream, session.client.address(), [&](std::string const& bytes) {
      session.world.out << bytes;
      return session.world.out.good();
    });
    return copied ? Exit::done : report(session, copied.error());
  }
  NewFile const file(command.to);
  if (!file.is_open()) {
    return report(session, file_failure(command.to));
  }
  auto const copied = copy(*stream, session.client.address(),
                           [&](std::string const& bytes) { return file.write(bytes); });
  if (!copied) {
    return report(session, copied.error());
  }
  if (!*copied || !file.keep()) {
    return report(session, file_failure(command.to));
  }
  tell(session, "exported to " + command.to + "; check it, on any machine, with: " +
                    "runbookd-audit-verify " + shell_quote(command.to));
  return Exit::done;
}

Exit perform(Session& session, AuditVerify const&) {
  auto const answer = session.client.get("/api/v1/audit/verify", "audit verify");
  if (!answer) {
    return report(session, answer.error());
  }
  auto const found = parse_json(answer->body);
  bool const sound = flag_of(found, "ok");
  if (session.as_json()) {
    put_document(session, answer->body);
    return sound ? Exit::done : Exit::failed;
  }
  if (!sound) {
    put(session, "NOT SOUND: " + clean(text_of(found, "problem")));
    tell(session, "keep what is there as it is, and export it: runbookctl audit export --to FILE");
    return Exit::failed;
  }
  put(session, "sound: " + std::to_string(number_of(found, "entries")) + " entries, " +
                   plural(number_of(found, "checkpoints"), "checkpoint") + ", " +
                   plural(number_of(found, "runs"), "run") + ", last hash " +
                   text_of(found, "hash"));
  tell(session,
       "that is the daemon's own word; without it: runbookctl audit export, and "
       "runbookd-audit-verify");
  return Exit::done;
}

Exit perform(Session& session, AuditKey const&) { return put_text(session, "key", "audit key"); }

Exit perform(Session& session, AuditCheckpoint const&) {
  return put_text(session, "checkpoint", "audit checkpoint");
}

}  // namespace runbookd::ctl
