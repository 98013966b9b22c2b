// The audit as the lines of an exported file (store/proof/audit_file.h), a few at a time: what is
// exported is what is checked.
#pragma once

#include <functional>
#include <string>

#include "store/audit.h"
#include "store/proof/audit_file.h"

namespace runbookd::store {

class AuditLines {
 public:
  // Up to the last entry that there is now.
  AuditLines(Audit const& audit, std::string origin);

  // Hands over so many entries more, with all that belongs between them; false: that was the end.
  bool next(int entries, std::function<void(std::string const& line)> const& take);

 private:
  Audit const& audit_;
  std::string origin_;
  std::int64_t last_ = 0, given_ = 0;
  bool began_ = false;
};

// Follows the audit as it stands in a store: does it fit, and do the runs' events still have the
// hashes that its entries hold?
class AuditWalk {
 public:
  AuditWalk(Audit const& audit, std::string origin)
      : audit_(audit), lines_(audit, std::move(origin)), file_(AuditTrust{}) {}

  // So many entries more; false: that was the end, or something does not fit.
  bool next(int entries);
  std::string const& problem() const { return problem_; }  // empty: all is well so far
  AuditFile const& file() const { return file_; }

 private:
  void look(std::string const& line);
  Audit const& audit_;
  AuditLines lines_;
  AuditFile file_;
  std::string problem_;
};

}  // namespace runbookd::store
