#include "web/ctl/render_plan.h"

#include "planner/throttle_words.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Action;
using planner::Check;
using planner::Phase;
using planner::Plan;
using planner::Step;

std::string duration(planner::Duration value) { return planner::to_text(value); }

class Page {
 public:
  explicit Page(View const& view) : view_(view) {}
  void line(int indent, Line const& content) {
    lines_.push_back(Line().add(std::string(indent, ' ')).add(content));
  }
  void line(int indent, std::string_view text, Tone tone = Tone::plain) {
    line(indent, Line().add(text, tone));
  }
  void paragraph(int indent, std::string_view label, std::string_view text) {
    if (text.empty()) {
      return;
    }
    bool first = true;
    auto const width = view_.width - indent - static_cast<int>(label.size());
    for (auto const& part : wrap(clean(text), width, 100)) {
      line(indent, Line()
                       .add(first ? std::string(label) : std::string(label.size(), ' '), Tone::dim)
                       .add(part));
      first = false;
    }
  }
  void code(int indent, std::string_view text) {
    for (auto const& part : clean_lines(text)) {
      line(indent, part);
    }
  }
  void blank() { lines_.emplace_back(); }
  Lines take() { return std::move(lines_); }

 private:
  View const& view_;
  Lines lines_;
};

std::string facts_of(planner::NoAction const&) { return "none"; }
std::string facts_of(planner::SqlAction const& sql) {
  auto text = "sql  waits at most " + duration(sql.lock.stall_budget) + " for a lock, tries for " +
              duration(sql.lock.give_up_after);
  if (!sql.transactional()) {
    return text + ", outside a transaction";
  }
  return text + (sql.statement_timeout.count() == 0
                     ? ""
                     : ", statement timeout " + duration(sql.statement_timeout));
}
std::string facts_of(planner::BackfillAction const& fill) {
  return "backfill  batches of about " + duration(fill.batch.target) + ", at most " +
         plural(fill.batch.max_rows, "row") + ", pause " + duration(fill.batch.pause) +
         (fill.batch.workers > 1 ? ", " + std::to_string(fill.batch.workers) + " workers" : "");
}
std::string facts_of(planner::ManualAction const&) { return "manual"; }
std::string facts_of(planner::AutoAction const&) { return "auto"; }
std::string facts_of(planner::WaitAction const& wait) { return "wait " + duration(wait.duration); }

void content_of(Page& page, int indent, planner::NoAction const& none) {
  page.paragraph(indent, "nothing to do: ", none.reason);
}
void content_of(Page& page, int indent, planner::SqlAction const& sql) {
  page.code(indent, sql.source.text);
}
void content_of(Page& page, int indent, planner::BackfillAction const& fill) {
  std::vector<std::string> sets;
  for (auto const& [column, expression] : fill.set) {
    sets.push_back(column + " = " + expression);
  }
  page.code(indent, "UPDATE " + fill.table + " SET " + joined(sets, ", "));
  if (!fill.from.empty()) {
    page.code(indent, "FROM " + fill.from);
  }
  page.code(indent, "WHERE " + fill.where);
  page.paragraph(indent, "stops for: ", planner::limit_words(fill.throttle));
}
void content_of(Page& page, int indent, planner::ManualAction const& manual) {
  page.paragraph(indent, "by hand: ", manual.text);
}
void content_of(Page& page, int indent, planner::AutoAction const&) {
  page.paragraph(indent, "", planner::written_later);
}
void content_of(Page&, int, planner::WaitAction const&) {}

void content(Page& page, int indent, Action const& action) {
  std::visit([&](auto const& each) { content_of(page, indent, each); }, action);
}

void add_step(Page& page, std::string const& number, Step const& step) {
  Line head;
  head.add(number + ' ').add(step.name, Tone::strong).add("  ");
  head.add(std::visit([](auto const& action) { return facts_of(action); }, step.forward),
           Tone::dim);
  if (step.skippable) {
    head.add("  may be skipped", Tone::dim);
  }
  page.line(3, head);
  page.paragraph(7, "", step.description);
  content(page, 7, step.forward);
  if (!step.reversible()) {
    page.paragraph(7, "no way back: ", step.irreversible);
    return;
  }
  page.line(7, "back:", Tone::dim);
  content(page, 9, step.backward);
}

void add_checks(Page& page, int indent, std::string_view title, std::vector<Check> const& checks) {
  for (auto const& check : checks) {
    Line head;
    head.add(std::string(title) + ' ', Tone::dim).add(check.name, Tone::strong);
    page.line(indent, head.add("  expects " + planner::to_text(check.expect)));
    page.paragraph(indent + 4, "", check.description);
    page.code(indent + 4, check.sql.text);
  }
}

void add_gate(Page& page, Phase const& phase) {
  if (phase.approval) {
    page.line(
        3, "needs " + plural(phase.approval->count, "approval") + " from " + phase.approval->from,
        Tone::waiting);
  }
  if (phase.not_before) {
    page.line(
        3, "not before " + duration(phase.not_before->wait) + " after " + phase.not_before->after,
        Tone::waiting);
  }
}

void add_phase(Page& page, int number, Phase const& phase) {
  page.blank();
  page.line(0, Line()
                   .add(std::to_string(number) + ' ')
                   .add(phase.name, Tone::strong)
                   .add(" (" + std::string(planner::to_text(phase.kind)) + ")", Tone::dim));
  page.paragraph(3, "", phase.goal);
  page.paragraph(3, "application: ", phase.application);
  page.paragraph(3, "deploy order: ", phase.deploy_order);
  add_gate(page, phase);
  add_checks(page, 3, "requires", phase.requirements);
  int step_number = 0;
  for (auto const& step : phase.steps) {
    add_step(page, std::to_string(number) + '.' + std::to_string(++step_number), step);
  }
  add_checks(page, 3, "validates", phase.validate);
  if (phase.soak.count() > 0) {
    page.line(3, "soaks for " + duration(phase.soak));
  }
  add_checks(page, 3, "watches", phase.watch);
}

void add_head(Page& page, Plan const& plan) {
  page.line(0, Line().add(plan.name, Tone::strong).add("  " + plan.title));
  auto const& about = plan.metadata;
  std::vector<std::string> facts;
  auto const fact = [&facts](char const* label, std::string const& value) {
    if (!value.empty()) {
      facts.push_back(std::string(label) + ' ' + value);
    }
  };
  fact("service", about.service);
  fact("team", about.team);
  fact("author", about.author);
  fact("reviewers", joined(about.reviewers, ", "));
  fact("ticket", about.ticket);
  page.paragraph(0, "", joined(facts, "; "));
  page.paragraph(0, "what: ", plan.overview.what);
  page.paragraph(0, "why: ", plan.overview.why);
  if (plan.database.min_version > 0) {
    page.line(0, "needs " + plan.database.engine + " " + std::to_string(plan.database.min_version) +
                     " or newer");
  }
  for (auto const& baseline : plan.baselines) {
    page.line(0, Line().add("baseline ", Tone::dim).add(baseline.name, Tone::strong));
    page.code(4, baseline.sql.text);
  }
}

}  // namespace

Lines render_plan(Plan const& plan, View const& view) {
  Page page(view);
  add_head(page, plan);
  int number = 0;
  for (auto const& phase : plan.phases) {
    add_phase(page, ++number, phase);
  }
  if (!plan.final_checks.empty()) {
    page.blank();
    page.line(0, "final checks", Tone::strong);
    add_checks(page, 3, "checks", plan.final_checks);
  }
  return page.take();
}

}  // namespace runbookd::ctl
