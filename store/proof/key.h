// Ed25519 keys that sign checkpoints, in the text forms of C2SP signed notes: a verifier key is
// "<name>+<id>+<base64 of 1 and the public key>".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "planner/error.h"

struct evp_pkey_st;

namespace runbookd::store {

std::string to_hex(std::string_view bytes);
std::string to_base64(std::string_view bytes);
// Only the one spelling that to_base64 gives: other bits at the end would be a change that nobody
// sees.
std::optional<std::string> from_base64(std::string_view text);
std::optional<std::string> from_hex(std::string_view text);

struct VerifierKey {
  std::string name;
  std::string id;     // four bytes, of name and key
  std::string bytes;  // the public key
  bool operator==(VerifierKey const&) const = default;
};
VerifierKey verifier_key(std::string name, std::string bytes);
std::string to_text(VerifierKey const& key);
std::optional<VerifierKey> read_verifier_key(std::string_view text);
bool is_signed_by(VerifierKey const& key, std::string_view text, std::string_view signature);

class SigningKey {
 public:
  // The key at the path; made there, for its owner alone, where there is none. Refuses one that
  // others may read, and what is no such key.
  static planner::Result<SigningKey> load_or_make(std::string const& path, std::string name);
  static planner::Result<SigningKey> make(std::string name);  // kept nowhere

  VerifierKey const& verifier() const { return verifier_; }
  std::string sign(std::string_view text) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Key = std::unique_ptr<evp_pkey_st, Free>;
  SigningKey(Key key, std::string name);
  static Key fresh();

  Key key_;
  VerifierKey verifier_;
};

}  // namespace runbookd::store
