// A checkpoint of the audit: how many entries there are and the hash of the last one, signed. The
// text is that of C2SP checkpoints and signed notes, so that other programs can keep and check it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/proof/key.h"

namespace runbookd::store {

struct Checkpoint {
  std::string origin;  // whose audit: the name of the key
  std::int64_t entries = 0;
  std::string hash;  // hexadecimal, of the last entry
  bool operator==(Checkpoint const&) const = default;
};

std::string signed_note(Checkpoint const& checkpoint, SigningKey const& key);

struct OpenedNote {
  std::optional<Checkpoint> checkpoint;
  std::string problem;  // why there is none
};
// What the note says, if one of these keys has signed it.
OpenedNote opened_note(std::string_view note, std::span<VerifierKey const> keys);

}  // namespace runbookd::store
