#include "daemon/uploads.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "planner/lint.h"

namespace runbookd::daemon {

using namespace planner;

namespace {

FileLookup files_of(web::PlanUpload const& upload) {
  return [&upload](std::string const& path) -> std::optional<std::string> {
    auto const file = upload.files.find(path);
    return file == upload.files.end() ? std::nullopt : std::optional{file->second};
  };
}

}  // namespace

ReadPlan read_and_lint(web::PlanUpload const& upload) {
  auto read = read_plan(upload.text, upload.file_name, files_of(upload));
  if (read.plan) {
    for (auto& finding : lint(*read.plan)) {
      read.findings.push_back(std::move(finding));
    }
  }
  return read;
}

Result<ReadPlan> readable(web::PlanUpload const& upload, std::string const& consequence) {
  auto read = read_and_lint(upload);
  if (read.plan) {
    return read;
  }
  auto const count = std::ranges::count(read.findings, Severity::error, &Finding::severity);
  return tl::unexpected(Error{.code = ErrorCode::plan_invalid,
                              .detail = "the plan has " + std::to_string(count) +
                                        (count == 1 ? " problem" : " problems") + "; " +
                                        consequence,
                              .next = "runbookctl plan lint " + upload.file_name,
                              .findings = std::move(read.findings)});
}

}  // namespace runbookd::daemon
