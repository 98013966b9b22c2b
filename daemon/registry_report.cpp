// The evidence of a run, put together.
#include "daemon/registry.h"
#include "daemon/report.h"
#include "planner/view.h"

namespace runbookd::daemon {

using namespace planner;

// That somebody took it along is in the audit before it goes out; the checkpoint in it covers that
// as well.
Result<web::RunReport> Registry::show_report(RunId const& run, web::ReportForm form) {
  recorder_.flush();
  auto const found = find(run);
  if (!found) {
    return tl::unexpected(found.error());
  }
  auto const& one = **found;
  auto events = store_.journal().events_after(run, 0, -1);
  auto proof = auditor_.proof_of(run);
  if (!events || !proof) {
    return tl::unexpected(events ? proof.error() : events.error());
  }
  auto facts = one.facts();
  RunEvidence evidence{.snapshot = run_json(facts, clock_.now()),
                       .plan = {},
                       .events = {},
                       .audit = std::move(proof->entries),
                       .key = std::move(proof->key),
                       .checkpoint = std::move(proof->checkpoint),
                       .made = clock_.now()};
  if (auto const stored = store_.plans().find(one.history().digest)) {
    evidence.plan = stored->canonical;
  }
  for (auto const& event : *events) {
    evidence.events.push_back(
        {.json = event_json(one.plan(), run, event.seq, event.event), .hash = event.hash});
  }
  switch (form) {
    case web::ReportForm::json:
      return web::RunReport{"application/json", report_json(evidence)};
    case web::ReportForm::markdown:
      return web::RunReport{"text/markdown; charset=utf-8", to_markdown(report_of(evidence))};
    case web::ReportForm::html:
      return web::RunReport{"text/html; charset=utf-8", to_html(report_of(evidence))};
  }
  __builtin_unreachable();
}

}  // namespace runbookd::daemon
