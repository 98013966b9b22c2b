#include "store/proof/audit_file.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "store/chain.h"

namespace runbookd::store {
namespace {

using Json = nlohmann::ordered_json;

constexpr int format = 1;
constexpr std::string_view entry_begins = R"({"hash":")";
constexpr std::string_view entry_goes_on = R"(","entry":)";
constexpr std::string_view checkpoint_begins = R"({"checkpoint":)";
constexpr std::string_view seq_begins = R"({"seq":)";
constexpr std::size_t hash_digits = 64;

std::string spelled(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_in(Json const& json, char const* name) {
  auto const found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<AuditFileHead> read_head(std::string_view line) {
  auto const json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("keys") || !json["keys"].is_array()) {
    return std::nullopt;
  }
  AuditFileHead head{.origin = text_in(json, "origin"),
                     .keys = {},
                     .after = 0,
                     .previous = text_in(json, "previous")};
  for (auto const& key : json["keys"]) {
    head.keys.push_back(key.is_string() ? key.get<std::string>() : "");
  }
  if (json.contains("after") && json["after"].is_number_integer()) {
    head.after = json["after"].get<std::int64_t>();
  }
  return to_line(head) == line ? std::optional(std::move(head)) : std::nullopt;
}

// Of "{"seq":17,…".
std::optional<std::int64_t> seq_of(std::string_view text) {
  if (!text.starts_with(seq_begins)) {
    return std::nullopt;
  }
  std::int64_t seq = 0;
  auto const read =
      std::from_chars(text.data() + seq_begins.size(), text.data() + text.size(), seq);
  return read.ec == std::errc() ? std::optional(seq) : std::nullopt;
}

std::string entry(std::int64_t seq) { return "entry " + std::to_string(seq); }

}  // namespace

std::string to_line(AuditFileHead const& head) {
  Json json = {{"audit", format}, {"origin", head.origin}, {"keys", Json::array()}};
  for (auto const& key : head.keys) {
    json["keys"].push_back(key);
  }
  json["after"] = head.after;
  json["previous"] = head.previous;
  return spelled(json);
}

std::string entry_line(std::string_view text, std::string_view hash) {
  std::string line;
  line.reserve(text.size() + hash.size() + 24);
  line += entry_begins;
  line += hash;
  line += entry_goes_on;
  line += text;
  line += '}';
  return line;
}

std::string checkpoint_line(std::string_view note) { return spelled({{"checkpoint", note}}); }

// A quote within a text is escaped, so the member cannot stand inside one.
bool seals(std::string_view entry_text) {
  return entry_text.find(R"(,"action":"audit.sealed",)") != std::string_view::npos;
}

std::string AuditFile::take(std::string_view line) {
  if (!head_) {
    return take_head(line);
  }
  bool const is_checkpoint = line.starts_with(checkpoint_begins);
  if (sealing_ != is_checkpoint) {
    return is_checkpoint
               ? "behind " + entry(seq_) + " a checkpoint stands that does not belong there"
               : "the checkpoint that belongs behind " + entry(seq_) + " is missing";
  }
  return is_checkpoint ? take_checkpoint(line) : take_entry(line);
}

std::string AuditFile::take_head(std::string_view line) {
  head_ = read_head(line);
  if (!head_) {
    return "the first line is not the head of an exported audit of form " + std::to_string(format);
  }
  for (auto const& text : head_->keys) {
    auto key = read_verifier_key(text);
    if (!key || key->name != head_->origin) {
      return "the head names a key that is none of " + head_->origin + ": " + text;
    }
    named_.push_back(*std::move(key));
  }
  auto const& trusted = trust_.keys.empty() ? named_ : trust_.keys;
  seq_ = head_->after;
  hash_ = head_->previous;
  if (seq_ < 0 || (seq_ == 0) != hash_.empty()) {
    return "the head does not say where the file begins";
  }
  if (trust_.remembered.empty()) {
    return {};
  }
  auto opened = opened_note(trust_.remembered, trusted);
  if (!opened.checkpoint) {
    return "the remembered checkpoint cannot be used: " + opened.problem;
  }
  remembered_ = std::move(opened.checkpoint);
  if (remembered_->origin != head_->origin) {
    return "the remembered checkpoint is of " + remembered_->origin + ", and the file of " +
           head_->origin;
  }
  if (remembered_->entries < head_->after) {
    return "the file begins behind " + entry(head_->after) +
           ", and the remembered checkpoint is of " + std::to_string(remembered_->entries) +
           " entries: a file that begins earlier is needed";
  }
  return remember(seq_);
}

std::string AuditFile::take_entry(std::string_view line) {
  auto const next = seq_ + 1;
  auto const text_at = entry_begins.size() + hash_digits + entry_goes_on.size();
  bool const whole = line.size() > text_at && line.starts_with(entry_begins) &&
                     line.substr(entry_begins.size() + hash_digits).starts_with(entry_goes_on) &&
                     line.ends_with('}');
  if (!whole) {
    return "where " + entry(next) + " should stand is a line that is no entry";
  }
  auto const hash = line.substr(entry_begins.size(), hash_digits);
  auto const text = line.substr(text_at, line.size() - text_at - 1);
  auto const seq = seq_of(text);
  if (seq != next) {
    return "where " + entry(next) + " should stand is " +
           (seq ? entry(*seq) : "none with a number");
  }
  if (hash_after(hash_, {text}) != hash) {
    return entry(next) + " does not have its hash: it, or what stands before it, was changed";
  }
  seq_ = next;
  hash_ = hash;
  sealing_ = seals(text);
  return remember(seq_);
}

std::string AuditFile::take_checkpoint(std::string_view line) {
  auto const json = Json::parse(line, nullptr, false);
  auto const note = json.is_object() ? text_in(json, "checkpoint") : "";
  auto const where = "the checkpoint behind " + entry(seq_);
  if (checkpoint_line(note) != line) {
    return where + " cannot be read";
  }
  auto const opened = opened_note(note, trust_.keys.empty() ? named_ : trust_.keys);
  if (!opened.checkpoint) {
    return where + " cannot be trusted: " + opened.problem;
  }
  if (*opened.checkpoint != Checkpoint{head_->origin, seq_, hash_}) {
    return where + " was signed for another audit: for " +
           std::to_string(opened.checkpoint->entries) + " entries of " + opened.checkpoint->origin +
           " with the hash " + opened.checkpoint->hash;
  }
  sealing_ = false;
  ++checkpoints_;
  sealed_ = seq_;
  last_note_ = note;
  return {};
}

// Is what was remembered of this entry still so?
std::string AuditFile::remember(std::int64_t seq) {
  if (!remembered_ || remembered_->entries != seq) {
    return {};
  }
  remembered_met_ = true;
  if (remembered_->hash == hash_) {
    return {};
  }
  return entry(seq) +
         " is not the one that the remembered checkpoint was signed for: the audit was "
         "written anew up to there";
}

std::string AuditFile::end() {
  if (!head_) {
    return "the file is empty";
  }
  if (remembered_ && !remembered_met_) {
    return "the file ends with " + entry(seq_) + ", and the remembered checkpoint is of " +
           std::to_string(remembered_->entries) + " entries: the end was cut off";
  }
  if (sealing_) {
    return "the file ends without the checkpoint that belongs behind " + entry(seq_);
  }
  if (sealed_ != seq_ || checkpoints_ == 0) {
    return "no checkpoint stands at the end, so that what was cut off there cannot be told; " +
           entry(seq_) + " is the last";
  }
  return {};
}

std::string AuditFile::signer() const {
  for (auto const& key : trust_.keys.empty() ? named_ : trust_.keys) {
    if (opened_note(last_note_, {&key, 1}).checkpoint) {
      return to_text(key);
    }
  }
  return {};
}

}  // namespace runbookd::store
