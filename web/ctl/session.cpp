#include "web/ctl/session.h"

#include <nlohmann/json.hpp>

#include "web/ctl/terminal.h"

namespace runbookd::ctl {

View Session::view() const {
  return {.width = world.out_is_terminal ? terminal_size().columns : 160,
          .height = 0,
          .now = world.now(),
          .utc_offset = world.utc_offset,
          .look = look};
}

void put(Session& session, std::string const& line) { session.world.out << line << '\n'; }

void put(Session& session, Lines const& lines) {
  auto const width = session.world.out_is_terminal ? terminal_size().columns : 0;
  for (auto const& line : lines) {
    put(session, line.print(session.look, width));
  }
}

void put_document(Session& session, std::string const& document) {
  if (session.global.output == Output::ndjson) {
    put(session, to_line(parse_json(document)));
    return;
  }
  session.world.out << document << (document.ends_with('\n') ? "" : "\n");
}

void tell(Session& session, std::string const& line) {
  if (!session.global.quiet && !session.as_json()) {
    session.world.err << line << '\n';
  }
}

Exit report(Session& session, Failure const& failure) {
  print_failure(session.world.err, failure, session.as_json());
  return failure.exit;
}

}  // namespace runbookd::ctl
