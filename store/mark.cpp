#include "store/mark.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "store/file.h"

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

constexpr std::size_t digits = 18;
constexpr std::string_view id_head = "store_";
constexpr std::size_t id_size = id_head.size() + 12;
constexpr std::size_t text_size = id_size + 1 + digits + 1;

// What to do when the file is not what the mark says; which of the two is right only a person
// knows.
std::string put_back(std::string const& store) {
  return "put the right file back, or: runbookd store restore BACKUP; to go on with what is there, "
         "for good: rm '" +
         mark_path(store) + "'";
}

}  // namespace

std::string to_text(MarkFacts const& facts) {
  auto const number = std::to_string(facts.events);
  return facts.store_id + " " + std::string(digits - number.size(), '0') + number + "\n";
}

std::optional<MarkFacts> read_mark(std::string_view text) {
  if (text.size() != text_size || !text.starts_with(id_head) || text[id_size] != ' ' ||
      text.back() != '\n')
    return std::nullopt;
  MarkFacts facts{.store_id = std::string(text.substr(0, id_size))};
  auto const* const first = text.data() + id_size + 1;
  auto const [end, failure] = std::from_chars(first, first + digits, facts.events);
  if (failure != std::errc() || end != first + digits || facts.events < 0)
    return std::nullopt;
  return facts;
}

std::string mark_path(std::string const& store) { return store + ".mark"; }

Result<std::optional<MarkFacts>> marked(std::string const& store) {
  auto const path = mark_path(store);
  auto const descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT)
    return std::optional<MarkFacts>{};
  std::array<char, text_size + 1> text{};
  auto const size = descriptor < 0 ? -1 : ::read(descriptor, text.data(), text.size());
  auto const failure = errno;
  if (descriptor >= 0)
    ::close(descriptor);
  if (size < 0)
    return refused("the mark " + path + " cannot be read: " + reason(failure),
                   "ls -l '" + path + "'");
  auto facts = read_mark({text.data(), static_cast<std::size_t>(size)});
  if (!facts) {
    return refused(
        "the mark " + path + " is damaged, so it cannot tell how far the store had come",
        "runbookd store check '" + store + "'; if the store is right: rm '" + path + "'");
  }
  return facts;
}

Result<void> expect_not_behind(std::string const& store, MarkFacts const& found,
                               std::optional<MarkFacts> const& mark) {
  if (!mark)
    return {};
  if (found.store_id != mark->store_id) {
    return refused("the file " + store + " is another store (" + found.store_id +
                       ") than the one that was used here, " + mark->store_id,
                   put_back(store));
  }
  if (found.events < mark->events) {
    return refused("the store " + store + " is older than it was: it holds " +
                       std::to_string(found.events) + " events, and " +
                       std::to_string(mark->events) +
                       " had been recorded; an older copy was put in its place, or its log (" +
                       store + "-wal) is missing or from another day",
                   put_back(store));
  }
  return {};
}

Result<void> expect_never_there(std::string const& store, std::optional<MarkFacts> const& mark) {
  if (!mark)
    return {};
  return refused("the store " + store + " is missing or empty, and " + mark->store_id + " with " +
                     std::to_string(mark->events) + " events has been there",
                 put_back(store));
}

Result<std::unique_ptr<Mark>> Mark::write(std::string const& store, MarkFacts facts) {
  auto const path = mark_path(store);
  auto const unfinished = path + ".new";
  auto const descriptor = ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  auto const text = to_text(facts);
  // whole and synced before it has its name: whoever dies in between leaves a mark that can be read
  bool const written =
      descriptor >= 0 && ::pwrite(descriptor, text.data(), text.size(), 0) == std::ssize(text) &&
      ::fsync(descriptor) == 0 && std::rename(unfinished.c_str(), path.c_str()) == 0;
  auto const failure = errno;
  auto mark = std::unique_ptr<Mark>(new Mark(descriptor, std::move(facts)));
  if (!written)
    return refused("the mark " + path + " cannot be written: " + reason(failure),
                   "ls -l '" + path + "'; df -h '" + path + "'");
  return mark;
}

Mark::~Mark() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void Mark::grown_by(std::int64_t events) {
  facts_.events += events;
  auto const text = to_text(facts_);
  // the bytes are overwritten in place, so there is no room that a full disk could refuse; a mark
  // that stays behind is a guard less, not a wrong answer
  [[maybe_unused]] auto const written = ::pwrite(descriptor_, text.data(), text.size(), 0);
}

}  // namespace runbookd::store
