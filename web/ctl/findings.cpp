#include "web/ctl/findings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/effects.h"
#include "planner/lint/rule.h"
#include "planner/size.h"
#include "web/ctl/json.h"
#include "web/ctl/plan_files.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/schema.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Finding;
using planner::Findings;
using planner::Severity;

// The shape that the API gives findings.
Json finding_json(Finding const& finding) {
  return {{"file", finding.place.file},
          {"line", finding.place.line},
          {"column", finding.place.column},
          {"rule", finding.rule},
          {"severity", planner::to_text(finding.severity)},
          {"message", finding.message},
          {"fix", finding.fix},
          {"step", finding.step},
          {"acknowledged", finding.acknowledged},
          {"mendable", !finding.edits.empty()}};
}

Json list_of(Findings const& findings) {
  auto list = Json::array();
  std::ranges::transform(findings, std::back_inserter(list), finding_json);
  return list;
}

std::int64_t count(Findings const& findings, Severity severity) {
  return std::ranges::count_if(findings, [severity](Finding const& f) {
    return f.severity == severity && f.acknowledged.empty();
  });
}

std::string summary(std::string const& name, Findings const& findings) {
  if (findings.empty()) {
    return name + ": no findings";
  }
  auto const known = std::ranges::count_if(
      findings, [](Finding const& finding) { return !finding.acknowledged.empty(); });
  return name + ": " + plural(count(findings, Severity::error), "error") + ", " +
         plural(count(findings, Severity::warning), "warning") + ", " +
         plural(count(findings, Severity::note), "note") +
         (known == 0 ? "" : ", " + std::to_string(known) + " acknowledged");
}

void put_finding(Session& session, Finding const& finding) {
  auto const tone = !finding.acknowledged.empty()           ? Tone::dim
                    : finding.severity == Severity::error   ? Tone::bad
                    : finding.severity == Severity::warning ? Tone::waiting
                                                            : Tone::dim;
  bool first = true;
  for (auto const& text : clean_lines(planner::to_text(finding))) {
    put(session, Line().add(text, first ? tone : Tone::plain).print(session.look));
    first = false;
  }
}

// --- SARIF 2.1.0 ---

char const* level(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

Json text_json(std::string_view text) { return {{"text", text}}; }

Json rules_json(Findings const& findings) {
  std::set<std::string> used;
  for (auto const& finding : findings) {
    used.insert(finding.rule);
  }
  auto list = Json::array();
  for (auto const& id : used) {
    Json one = {{"id", id}};
    if (auto const* rule = planner::find_rule(id)) {
      one["shortDescription"] = text_json(rule->title);
      one["fullDescription"] = text_json(rule->why);
      one["help"] = text_json(rule->fix);
      one["defaultConfiguration"] = {{"level", level(rule->severity)}};
    }
    list.push_back(std::move(one));
  }
  return list;
}

Json region_json(planner::Place const& place) {
  return {{"startLine", std::max(1, place.line)}, {"startColumn", std::max(1, place.column)}};
}

std::int64_t characters(std::string const& text) {
  return std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

Json fix_json(Finding const& finding) {
  auto replacements = Json::array();
  for (auto const& edit : finding.edits) {
    auto region = region_json(edit.at);
    region["endLine"] = edit.at.line;
    region["endColumn"] = edit.at.column + characters(edit.was);
    replacements.push_back(
        {{"deletedRegion", std::move(region)}, {"insertedContent", text_json(edit.now)}});
  }
  return {{"description", text_json(finding.fix)},
          {"artifactChanges",
           {{{"artifactLocation", {{"uri", finding.edits.front().at.file}}},
             {"replacements", std::move(replacements)}}}}};
}

Json result_json(Finding const& finding) {
  Json result = {
      {"ruleId", finding.rule},
      {"level", level(finding.severity)},
      {"message", text_json(finding.message + (finding.fix.empty() ? "" : "\n" + finding.fix))},
      {"locations",
       {{{"physicalLocation",
          {{"artifactLocation", {{"uri", finding.place.file}}},
           {"region", region_json(finding.place)}}}}}}};
  if (!finding.acknowledged.empty()) {
    result["suppressions"] = {{{"kind", "inSource"}, {"justification", finding.acknowledged}}};
  }
  if (!finding.edits.empty()) {
    result["fixes"] = Json::array({fix_json(finding)});
  }
  return result;
}

// --- GitHub's workflow commands ---

std::string escaped(std::string_view text, bool property) {
  std::string result;
  for (char const c : text) {
    bool const always = c == '%' || c == '\r' || c == '\n';
    if (always || (property && (c == ':' || c == ','))) {
      constexpr char digits[] = "0123456789ABCDEF";
      auto const byte = static_cast<unsigned char>(c);
      result += {'%', digits[byte / 16], digits[byte % 16]};
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

void sort_by_place(Findings& findings) {
  std::ranges::stable_sort(findings, {}, [](Finding const& f) {
    return std::tie(f.place.file, f.place.line, f.place.column);
  });
}

std::string sarif(Findings const& findings) {
  auto results = Json::array();
  std::ranges::transform(findings, std::back_inserter(results), result_json);
  return to_pretty({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                    {"version", "2.1.0"},
                    {"runs",
                     {{{"tool",
                        {{"driver",
                          {{"name", "runbookctl"},
                           {"version", RUNBOOKD_VERSION},
                           {"rules", rules_json(findings)}}}}},
                       {"columnKind", "unicodeCodePoints"},
                       {"results", std::move(results)}}}}});
}

std::string github_line(Finding const& finding) {
  auto const* command = finding.severity == Severity::error     ? "error"
                        : finding.severity == Severity::warning ? "warning"
                                                                : "notice";
  return "::" + std::string(command) + " file=" + escaped(finding.place.file, true) +
         ",line=" + std::to_string(std::max(1, finding.place.line)) +
         ",col=" + std::to_string(std::max(1, finding.place.column)) +
         ",title=" + escaped(finding.rule, true) + "::" +
         escaped(finding.message + (finding.fix.empty() ? "" : "\nfix: " + finding.fix), false);
}

void put_findings(Session& session, std::string const& name, Findings const& findings,
                  std::string const& report) {
  if (report == "sarif") {
    put(session, sarif(findings));
    return;
  }
  if (report == "github") {
    for (auto const& finding : findings) {
      if (finding.acknowledged.empty()) {
        put(session, github_line(finding));
      }
    }
    return;
  }
  switch (session.global.output) {
    case Output::json:
      put(session,
          to_pretty({{"valid", !planner::has_error(findings)}, {"findings", list_of(findings)}}));
      return;
    case Output::ndjson:
      for (auto const& finding : findings) {
        put(session, to_line(finding_json(finding)));
      }
      return;
    case Output::name:
    case Output::table:
      for (auto const& finding : findings) {
        put_finding(session, finding);
      }
      tell(session, summary(name, findings));
  }
}

namespace {

Maybe<std::int64_t> size_of(std::string const& option, std::string const& text,
                            std::int64_t otherwise) {
  if (text.empty()) {
    return otherwise;
  }
  auto const size = planner::parse_size(text);
  return size ? Maybe<std::int64_t>(*size)
              : fail(Exit::usage, option + " " + text, "a size has a unit", "write 16MB or 8GB");
}

}  // namespace

Maybe<planner::LintOptions> lint_options(Session& session, LintChoices const& choices) {
  planner::LintOptions options{.in_transaction = choices.in_transaction,
                               .timeouts_given = choices.timeouts_given,
                               .optional = choices.enable};
  auto const& version = choices.server_version;
  if (!version.empty()) {
    auto const* end = version.data() + version.size();
    auto const major = std::from_chars(version.data(), end, options.server_major);
    bool good = major.ec == std::errc{} && options.server_major >= 13 && options.server_major <= 18;
    if (good && major.ptr != end) {
      auto const minor = std::from_chars(major.ptr + 1, end, options.server_minor);
      good = *major.ptr == '.' && minor.ec == std::errc{} && minor.ptr == end;
    }
    if (!good) {
      return fail(Exit::usage, "--server-version " + version, "a version is 13 to 18, or 14.2",
                  "give the target's: psql -c 'SHOW server_version'");
    }
  }
  auto known = load_known(session, choices);
  if (!known) {
    return tl::unexpected(known.error());
  }
  auto of_target = planner::options_for(
      {.catalog = std::move(known->catalog), .server_version = known->server_version});
  if (version.empty()) {
    options.server_major = of_target.server_major;
    options.server_minor = of_target.server_minor;
  }
  options.catalog = std::move(of_target.catalog);
  auto const small = size_of("--small-table", choices.small_table, options.sizes.small);
  auto const large = size_of("--large-table", choices.large_table, options.sizes.large);
  if (!small || !large) {
    return tl::unexpected(small ? large.error() : small.error());
  }
  options.sizes.small = *small;
  options.sizes.large = *large;
  return options;
}

Maybe<int> mend_files(Session& session, Findings const& findings) {
  std::set<std::string> files;
  for (auto const& finding : findings) {
    for (auto const& edit : finding.edits) {
      files.insert(edit.at.file);
    }
  }
  int edits = 0;
  for (auto const& file : files) {
    auto const text = load_text(session, file);
    if (!text) {
      return tl::unexpected(text.error());
    }
    auto const mended = planner::mend(*text, file, findings);
    auto const beside = file + ".mended";  // so that a full disk leaves the old text whole
    std::ofstream out(beside, std::ios::binary);
    out << mended.text << std::flush;
    std::error_code error;
    if (out) {
      std::filesystem::rename(beside, file, error);
    }
    if (!out || error) {
      std::filesystem::remove(beside, error);
      return fail(Exit::failed, "write " + file, "the file cannot be written", "ls -l " + file);
    }
    edits += mended.edits;
    tell(session, file + ": " + plural(mended.edits, "edit") + " made");
  }
  return edits;
}

}  // namespace runbookd::ctl
