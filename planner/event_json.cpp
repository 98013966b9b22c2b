#include "planner/event_json.h"

#include <concepts>
#include <map>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/event_fields.h"

namespace runbookd::planner {
namespace {

using fields::describe;
using fields::words;
using nlohmann::json;

// ---- writing

class Writer {
 public:
  explicit Writer(json& out) : out_(out) {}
  template <typename T>
  Writer& must(char const* key, T const& value) {
    out_[key] = spell(value);
    return *this;
  }
  // Written even when it is the default: a default may change, what was recorded may not.
  template <typename T>
  Writer& may(char const* key, T const& value) {
    return must(key, value);
  }

 private:
  static json spell(std::string const& text) { return text; }
  static json spell(Moment moment) { return to_rfc3339(moment); }
  static json spell(Duration duration) { return duration.count(); }
  static json spell(bool yes) { return yes; }
  static json spell(std::integral auto number) { return number; }
  template <typename E>
    requires std::is_enum_v<E>
  static json spell(E value) {
    for (auto const& [known, word] : words(value)) {
      if (known == value)
        return word;
    }
    throw std::logic_error("an event holds an enum value without a word");
  }
  template <typename T>
  static json spell(std::optional<T> const& value) {
    return value ? spell(*value) : json();
  }
  template <typename T>
  static json spell(std::vector<T> const& values) {
    auto list = json::array();
    for (auto const& value : values)
      list.push_back(spell(value));
    return list;
  }
  static json spell(BaselineValues const& values) {
    auto object = json::object();
    for (auto const& [name, cell] : values)
      object[name] = spell(cell);
    return object;
  }
  template <typename T>
    requires std::is_class_v<T>
  static json spell(T const& described) {
    auto object = json::object();
    Writer writer(object);
    describe(writer, described);
    return object;
  }

  json& out_;
};

// ---- reading: every read answers what is wrong, beginning with the way to it; empty = nothing

using Wrong = std::string;

class Reader {
 public:
  explicit Reader(json const& in) : in_(in) {}
  Wrong const& wrong() const { return wrong_; }

  template <typename T>
  Reader& must(char const* key, T& value) {
    if (!in_.contains(key))
      return note(key, " is missing");
    return note(key, read(in_[key], value));
  }
  template <typename T>
  Reader& may(char const* key, T& value) {
    if (!in_.contains(key))
      return *this;
    return note(key, read(in_[key], value));
  }

 private:
  Reader& note(char const* key, Wrong const& wrong) {
    if (wrong_.empty() && !wrong.empty())
      wrong_ = "." + std::string(key) + wrong;
    return *this;
  }

  static Wrong read(json const& in, std::string& text) {
    if (!in.is_string())
      return " is not a text";
    text = in.get_ref<std::string const&>();
    return {};
  }
  static Wrong read(json const& in, bool& yes) {
    if (!in.is_boolean())
      return " is neither true nor false";
    yes = in.get<bool>();
    return {};
  }
  template <std::integral T>
  static Wrong read(json const& in, T& number) {
    if (!in.is_number_integer())
      return " is not a whole number";
    bool const fits = in.is_number_unsigned() ? std::in_range<T>(in.get<std::uint64_t>())
                                              : std::in_range<T>(in.get<std::int64_t>());
    if (!fits)
      return " is a number out of range";
    number = in.get<T>();
    return {};
  }
  static Wrong read(json const& in, Duration& duration) {
    auto count = duration.count();
    auto wrong = read(in, count);
    duration = Duration(count);
    return wrong;
  }
  static Wrong read(json const& in, Moment& moment) {
    if (!in.is_string())
      return " is not a time";
    auto parsed = parse_rfc3339(in.get_ref<std::string const&>());
    if (!parsed)
      return " is not a time";
    moment = *parsed;
    return {};
  }
  template <typename E>
    requires std::is_enum_v<E>
  static Wrong read(json const& in, E& value) {
    if (!in.is_string())
      return " is not a word";
    auto const& text = in.get_ref<std::string const&>();
    for (auto const& [known, word] : words(E{})) {
      if (word != text)
        continue;
      value = known;
      return {};
    }
    return " has the unknown value \"" + text + "\"";
  }
  template <typename T>
  static Wrong read(json const& in, std::optional<T>& value) {
    if (in.is_null()) {
      value.reset();
      return {};
    }
    return read(in, value.emplace());
  }
  template <typename T>
  static Wrong read(json const& in, std::vector<T>& values) {
    if (!in.is_array())
      return " is not a list";
    values.clear();
    for (auto const& element : in) {
      auto wrong = read(element, values.emplace_back());
      if (!wrong.empty())
        return "[" + std::to_string(values.size() - 1) + "]" + wrong;
    }
    return {};
  }
  static Wrong read(json const& in, BaselineValues& values) {
    if (!in.is_object())
      return " is not an object";
    values.clear();
    for (auto const& [name, cell] : in.items()) {
      auto wrong = read(cell, values[name]);
      if (!wrong.empty())
        return "." + name + wrong;
    }
    return {};
  }
  template <typename T>
    requires std::is_class_v<T>
  static Wrong read(json const& in, T& described) {
    if (!in.is_object())
      return " is not an object";
    Reader reader(in);
    describe(reader, described);
    return reader.wrong();
  }

  json const& in_;
  Wrong wrong_;
};

// An empty event of every kind, to be filled by reading.
template <std::size_t... Index>
std::map<std::string_view, EventBody> make_blanks(std::index_sequence<Index...>) {
  std::map<std::string_view, EventBody> blanks;
  auto const add = [&](EventBody body) { blanks.emplace(kind_of(body), body); };
  (add(std::variant_alternative_t<Index, EventBody>{}), ...);
  return blanks;
}
std::map<std::string_view, EventBody> const& blanks() {
  static auto const all = make_blanks(std::make_index_sequence<std::variant_size_v<EventBody>>{});
  return all;
}

tl::unexpected<Error> unreadable(std::string_view kind, std::string const& why) {
  return tl::unexpected(
      Error{.code = ErrorCode::internal,
            .detail = "an event of kind \"" + std::string(kind) + "\" cannot be read: " + why});
}

}  // namespace

std::string body_to_json(EventBody const& body) {
  auto object = json::object();
  Writer writer(object);
  std::visit([&](auto const& event) { describe(writer, event); }, body);
  // a server with a broken encoding may send any bytes; a question mark is better than no record at
  // all
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<EventBody> body_from_json(std::string_view kind, std::string_view text) {
  auto blank = blanks().find(kind);
  if (blank == blanks().end()) {
    return unreadable(kind, "this version of runbookd does not know the kind; a newer one may");
  }
  auto const object = json::parse(text, nullptr, false);
  if (!object.is_object())
    return unreadable(kind, "its body is not a JSON object");
  auto body = blank->second;
  Reader reader(object);
  std::visit([&](auto& event) { describe(reader, event); }, body);
  if (!reader.wrong().empty())
    return unreadable(kind, reader.wrong());
  return body;
}

}  // namespace runbookd::planner
