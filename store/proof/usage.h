// What runbookd-audit-verify says of itself, on the terminal and in its manual page.
#pragma once

namespace runbookd::store {

inline constexpr auto verify_synopsis =
    "runbookd-audit-verify FILE [--checkpoint FILE] [--key KEY]...";

inline constexpr auto verify_summary =
    "Reads an audit that runbookctl audit export has written, recomputes its chain and checks the "
    "signed\ncheckpoints in it. Asks neither the daemon nor anybody else.";

inline constexpr auto verify_options =
    "FILE\n"
    "    the exported audit; - reads it from standard input\n"
    "--checkpoint FILE\n"
    "    a checkpoint that was kept elsewhere, as runbookctl audit checkpoint prints it: the "
    "audit\n"
    "    must be the one that it was signed for, and must reach as far\n"
    "--key KEY\n"
    "    the only key to trust, as runbookctl audit key prints it; may be repeated. Without it,\n"
    "    those that the file names itself";

inline constexpr auto verify_exit_codes =
    "0 the audit is sound; 1 it is not, and the first thing that does not fit is named; 2 it "
    "could\n"
    "not be looked at.";

}  // namespace runbookd::store
