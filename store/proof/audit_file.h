// An exported audit: a head, the entries, and after every entry that seals (`sealing_action`) the
// checkpoint that was signed then. One JSON document to a line. Each line has one spelling only, so
// that no byte of the file can change without being seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/proof/note.h"

namespace runbookd::store {

constexpr std::string_view sealing_action = "audit.sealed";

struct AuditFileHead {
  std::string origin;
  std::vector<std::string> keys;  // the texts of the verifier keys
  std::int64_t after = 0;         // the file begins behind this entry
  std::string previous;           // whose hash this is
};
// Without the line's end.
std::string to_line(AuditFileHead const& head);
std::string entry_line(std::string_view text, std::string_view hash);
std::string checkpoint_line(std::string_view note);
bool seals(std::string_view entry_text);

// What a reader trusts beside the file. Nothing: the keys that the file itself names.
struct AuditTrust {
  std::vector<VerifierKey> keys;
  std::string remembered;  // a checkpoint's note, kept elsewhere
};

// Reads such a file line by line, and says what does not fit. Trusts nothing but AuditTrust.
class AuditFile {
 public:
  explicit AuditFile(AuditTrust trust) : trust_(std::move(trust)) {}

  // Empty: so far all is well. Else a sentence, and nothing more should be taken.
  std::string take(std::string_view line);
  // After the last line.
  std::string end();

  std::int64_t entries() const { return seq_; }  // the number of the last one
  std::int64_t first() const { return head_ ? head_->after + 1 : 0; }
  std::int64_t checkpoints() const { return checkpoints_; }
  std::string const& hash() const { return hash_; }
  std::string const& last_note() const { return last_note_; }
  std::string signer() const;  // of the last checkpoint

 private:
  std::string take_head(std::string_view line);
  std::string take_entry(std::string_view line);
  std::string take_checkpoint(std::string_view line);
  std::string remember(std::int64_t seq);

  AuditTrust trust_;
  std::optional<AuditFileHead> head_;
  std::vector<VerifierKey> named_;
  std::optional<Checkpoint> remembered_;
  bool remembered_met_ = false;
  bool sealing_ = false;  // a checkpoint has to come next
  std::int64_t seq_ = 0, sealed_ = 0, checkpoints_ = 0;
  std::string hash_, last_note_;
};

}  // namespace runbookd::store
