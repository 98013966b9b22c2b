#include "web/ctl/plan_files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include <nlohmann/json.hpp>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

namespace fs = std::filesystem;

std::string all_of(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

std::optional<std::string> content_of(fs::path const& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return std::nullopt;
  }
  std::ifstream in(path, std::ios::binary);
  return in ? std::optional(all_of(in)) : std::nullopt;
}

// A plan from elsewhere must not make us read, and upload, what lies outside its folder.
bool stays_inside(fs::path const& path) {
  if (path.is_absolute()) {
    return false;
  }
  for (auto const& part : path.lexically_normal()) {
    if (part == "..") {
      return false;
    }
  }
  return true;
}

std::string why_unreadable(std::string const& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) {
    return "this is a folder, not a file";
  }
  errno = 0;
  std::ifstream const again(file);
  return std::strerror(errno == 0 ? EIO : errno);
}

}  // namespace

Maybe<std::string> load_text(Session& session, std::string const& file) {
  auto text = file == "-" ? std::optional(all_of(session.world.in)) : content_of(file);
  if (!text) {
    std::error_code error;
    auto const folder = fs::path(file).parent_path().string();
    return fail(fs::exists(file, error) ? Exit::unexpected : Exit::not_found, "read " + file,
                why_unreadable(file), "ls -l " + shell_quote(folder.empty() ? "." : folder));
  }
  return *std::move(text);
}

Maybe<PlanFile> load_plan(Session& session, std::string const& file) {
  auto const from_input = file == "-";
  auto text = load_text(session, file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  PlanFile plan{
      .name = from_input ? "stdin" : file, .text = std::move(*text), .files = {}, .read = {}};
  auto const folder = fs::path(file).parent_path();
  auto const lookup = [&](std::string const& path) -> std::optional<std::string> {
    auto content = from_input || !stays_inside(path) ? std::nullopt : content_of(folder / path);
    if (content) {
      plan.files[path] = *content;
    }
    return content;
  };
  plan.read = planner::read_plan(plan.text, plan.name, lookup);
  return plan;
}

void tell_findings(Session& session, planner::Findings const& findings) {
  for (auto const& finding : findings) {
    for (auto const& line : clean_lines(planner::to_text(finding))) {
      session.world.err << line << "\n";
    }
  }
}

// The stored document holds the plan in its canonical form, which reads like a plan file.
std::optional<planner::Plan> plan_in(Json const& document) {
  for (auto const* key : {"canonical", "plan", "document"}) {
    auto const& value = child(document, key);
    if (value.is_object() || value.is_string()) {
      auto const text = value.is_string() ? value.get<std::string>() : to_line(value);
      if (auto read = planner::read_plan(text, "plan.json"); read.plan) {
        return std::move(read.plan);
      }
    }
  }
  return planner::read_plan(to_line(document), "plan.json").plan;
}

bool looks_like_digest(std::string_view text) {
  auto const hex = text.starts_with("sha256:") ? text.substr(7) : text;
  return hex.size() >= 12 && hex.size() <= 64 &&
         hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Maybe<planner::Plan> load_any_plan(Session& session, std::string const& plan,
                                   std::string const& what) {
  std::error_code error;
  if (plan == "-" || fs::exists(plan, error)) {
    auto file = load_plan(session, plan);
    if (!file) {
      return tl::unexpected(file.error());
    }
    if (!file->read.plan) {
      return fail(Exit::invalid, what, planner::to_text(file->read.findings.front()),
                  "runbookctl plan lint " + shell_quote(plan));
    }
    return *std::move(file->read.plan);
  }
  if (!looks_like_digest(plan)) {
    return fail(Exit::not_found, what,
                "'" + plan + "' is neither a file nor the digest of a stored plan",
                "runbookctl plan list");
  }
  auto const answer = session.client.get("/api/v1/plans/" + percent_encode(plan), what);
  if (!answer) {
    return tl::unexpected(answer.error());
  }
  auto stored = plan_in(parse_json(answer->body));
  return stored ? Maybe<planner::Plan>(*std::move(stored))
                : fail(Exit::unexpected, what, "the daemon's answer holds no plan");
}

Maybe<Answer> send_plan(Session& session, PlanFile const& plan, std::string const& target,
                        std::string const& what) {
  Json const bundle = {{"file_name", plan.name}, {"text", plan.text}, {"files", plan.files}};
  try {
    return session.client.post_plan(target, bundle.dump(), what);
  } catch (Json::type_error const&) {
    return fail(Exit::invalid, what, "the plan or a SQL file beside it is not UTF-8 text",
                "iconv -t UTF-8 FILE");
  }
}

Maybe<Answer> upload_plan(Session& session, std::string const& file) {
  auto const plan = load_plan(session, file);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  return send_plan(session, *plan, "/api/v1/plans", "upload " + file);
}

}  // namespace runbookd::ctl
