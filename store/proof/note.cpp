#include "store/proof/note.h"

#include <charconv>

namespace runbookd::store {
namespace {

constexpr std::string_view dash = "\xE2\x80\x94 ";  // "— " opens a line with a signature
constexpr std::size_t hash_size = 32, id_size = 4;

std::string body_of(Checkpoint const& checkpoint) {
  auto const hash = from_hex(checkpoint.hash).value_or("");
  return checkpoint.origin + '\n' + std::to_string(checkpoint.entries) + '\n' + to_base64(hash) +
         '\n';
}

// The text up to the line's end, which is taken away with it.
std::optional<std::string_view> line_of(std::string_view& rest) {
  auto const end = rest.find('\n');
  if (end == std::string_view::npos)
    return std::nullopt;
  auto const line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

std::optional<Checkpoint> read_body(std::string_view body) {
  auto const origin = line_of(body);
  auto const count = line_of(body);
  auto const hash = line_of(body);
  if (!origin || !count || !hash)
    return std::nullopt;
  Checkpoint checkpoint{.origin = std::string(*origin)};
  auto const* const end = count->data() + count->size();
  auto const read = std::from_chars(count->data(), end, checkpoint.entries);
  auto const bytes = from_base64(*hash);
  if (read.ec != std::errc() || read.ptr != end || !bytes || bytes->size() != hash_size)
    return std::nullopt;
  checkpoint.hash = to_hex(*bytes);
  return checkpoint;
}

OpenedNote refused_note(std::string why) {
  return {.checkpoint = std::nullopt, .problem = std::move(why)};
}

}  // namespace

std::string signed_note(Checkpoint const& checkpoint, SigningKey const& key) {
  auto const body = body_of(checkpoint);
  auto const& by = key.verifier();
  return body + '\n' + std::string(dash) + by.name + ' ' + to_base64(by.id + key.sign(body)) + '\n';
}

OpenedNote opened_note(std::string_view note, std::span<VerifierKey const> keys) {
  auto const blank = note.find("\n\n");
  if (blank == std::string_view::npos)
    return refused_note("it has no signature");
  auto const body = note.substr(0, blank + 1);
  auto rest = note.substr(blank + 2);
  auto const line = line_of(rest);
  if (!line || !rest.empty() || !line->starts_with(dash))
    return refused_note("it does not end with one signature");
  auto const by = line->substr(dash.size());
  auto const space = by.find(' ');
  auto const bytes =
      space == std::string_view::npos ? std::nullopt : from_base64(by.substr(space + 1));
  if (!bytes || bytes->size() <= id_size)
    return refused_note("its signature cannot be read");
  for (auto const& key : keys) {
    if (key.name != by.substr(0, space) || key.id != bytes->substr(0, id_size))
      continue;
    if (!is_signed_by(key, body, std::string_view(*bytes).substr(id_size)))
      return refused_note("its signature is wrong");
    auto checkpoint = read_body(body);
    // in one spelling only
    if (!checkpoint || body_of(*checkpoint) != body)
      return refused_note("it is no checkpoint");
    return {.checkpoint = std::move(checkpoint), .problem = {}};
  }
  return refused_note("it is signed by a key that is not among those that are trusted");
}

}  // namespace runbookd::store
