#include "planner/import_document.h"

#include <algorithm>

#include "planner/import_back_words.h"
#include "planner/import_prose.h"
#include "planner/variables.h"

namespace runbookd::planner::import {
namespace {

using BlockKind = Block::Kind;

class Gatherer {
 public:
  Gatherer(Report& report, std::vector<Block> blocks)
      : report_(report), blocks_(std::move(blocks)) {}

  DocumentText document() && {
    at_ = start_of_document(blocks_);
    for (; at_ < blocks_.size(); ++at_) {
      take(blocks_[at_]);
    }
    std::erase_if(document_.phases, [](PhaseText const& phase) {
      return phase.exact.empty() && phase.code.empty() && phase.goal.empty() &&
             phase.checklist.empty() && !phase.counted;
    });
    return std::move(document_);
  }

 private:
  void take(Block const& block) {
    switch (block.kind) {
      case BlockKind::heading:
        return take_heading(block);
      case BlockKind::paragraph:
        return take_paragraph(block);
      case BlockKind::item:
        return take_item(block);
      case BlockKind::code:
        return take_code(block);
      case BlockKind::row:
        return take_row(block);
    }
  }

  PhaseText* phase() { return section_ == Section::phases ? last_phase() : nullptr; }
  PhaseText* last_phase() { return document_.phases.empty() ? nullptr : &document_.phases.back(); }

  PhaseText* phase_named(std::string const& words) {
    return import::phase_named(document_.phases, words);
  }

  // Whatever stands below a heading that speaks of a way back, down to the next of its level.
  struct BackScope {
    int level = 0;
    std::string heading, below;
    PhaseText const* within = nullptr;
  };

  bool opens_way_back(Block const& heading, std::string const& text) const {
    auto const number = numbered(text);
    auto const words = back_words(text);
    if (words.says == SaysBack::no || (heading.level == 1 && !titled_) ||
        section_of(lower(text)) == Section::ignored) {
      return false;
    }
    bool const fresh =
        number && std::ranges::none_of(document_.phases, [&](PhaseText const& phase) {
          return phase.number == number->number;
        });
    return !fresh || (words.leading && words.says > SaysBack::perhaps);
  }

  // Whether the heading belongs to a way back.
  bool take_back_heading(Block const& heading, std::string const& text) {
    if (back_ && heading.level > back_->level) {
      back_->below = text;
      return true;
    }
    back_.reset();
    if (!opens_way_back(heading, text)) {
      return false;
    }
    bool const deeper = phase_level_ > 0 && heading.level > phase_level_;
    auto const* within = deeper ? phase() : nullptr;
    back_ = BackScope{.level = heading.level, .heading = text, .below = "", .within = within};
    return true;
  }

  // The nearest words that name a phase.
  PhaseText* phase_gone_back() {
    for (auto const& words : {label_, back_ ? back_->below : "", back_ ? back_->heading : ""}) {
      if (auto* named = words.empty() ? nullptr : phase_named(words)) {
        return named;
      }
    }
    return back_ && back_->within == nullptr ? nullptr : phase();
  }

  void put_back(Code code) {
    auto const* of = phase_gone_back();
    auto const& words = back_ ? back_->heading : label_;
    document_.ways_back.push_back({.code = std::move(code),
                                   .phase_line = of == nullptr ? 0 : of->line,
                                   .heading = words,
                                   .sure = back_words(words).says == SaysBack::surely});
  }

  void put_back_item(ListItem item) {
    if (auto* of = phase_gone_back()) {
      of->rollback_items.push_back(std::move(item));
      return;
    }
    report_.say(Severity::warning, item.line, "import/not-in-plan",
                "\"" + item.text +
                    "\" belongs to a way back, and nothing says of which phase; it "
                    "is not in the plan",
                "put it below the way back of its phase");
  }

  void take_heading(Block const& block) {
    label_.clear();
    auto const text = markdown::plain(block.runs);
    if (auto const exact = exact_heading(block)) {
      back_.reset();
      return take_exact(*exact, text, block);
    }
    if (take_back_heading(block, text)) {
      return;
    }
    bool const of_phase = numbered(text) || kind_of(text) != PhaseKind::other;
    if (block.level == 1 && !(titled_ && of_phase)) {
      return take_title(block);
    }
    auto const low = lower(text);
    auto const number = numbered(text);
    bool const below = section_level_ > 0 && block.level > section_level_;
    if (below && section_ != Section::phases && section_ != Section::head) {
      group_ = text;
      return set_label(text);
    }
    bool const overview = mentions(low, "overview", "summary") && mentions(low, "phase");
    bool const deeper = phase_level_ > 0 && block.level > phase_level_;
    if (number && !overview && !(deeper && section_ == Section::phases)) {
      return begin_phase(number->rest.empty() ? text : number->rest, number->number, block);
    }
    if (below && section_ == Section::phases && !overview && !deeper &&
        kind_of(text) != PhaseKind::other && role_of(text) == Role::forward) {
      return begin_phase(text, 0, block);
    }
    if (deeper && section_ == Section::phases) {
      return set_label(text);
    }
    if (below) {
      return;
    }
    section_ = section_of(low).value_or(Section::unknown);
    heading_ = text;
    bool const forward = !section_of(low) && (low == "up" || kind_of(text) != PhaseKind::other ||
                                              mentions(low, "migration"));
    section_level_ = block.level;
    phase_level_ = 0;
    group_ = section_ == Section::runbook || section_ == Section::unknown ? text : "";
    auto const asked = sentences_in(text);
    bool const deploys = section_ == Section::unknown && !asked.empty() &&
                         asked.front().kind == Sentence::Kind::deploy;
    if (deploys) {
      begin_phase(text, 0, block);
      return put_sentences(report_, asked, block.line, *last_phase());
    }
    if (forward) {  // "## Add the column", "## Up": a phase without the word
      section_ = Section::phases;
      begin_phase(text, 0, block);
    }
  }

  void set_label(std::string const& text) { label_ = text; }

  void take_title(Block const& block) {
    titled_ = true;
    if (block.runs.empty()) {
      return;
    }
    document_.title = title_of(report_, block);
    section_ = Section::head;
    section_level_ = 0;
  }

  void begin_phase(std::string const& title, int number, Block const& block) {
    section_ = Section::phases;
    phase_level_ = block.level;
    PhaseText phase;
    phase.title = title;
    phase.counted = number > 0 && std::ranges::none_of(document_.phases, [&](PhaseText const& p) {
                      return p.number == number;
                    });
    phase.number = number;
    phase.line = block.line;
    phase.kind = kind_of(title);
    auto const plain_kind = std::string(to_text(phase.kind));
    bool const spoken = lower(title).find(plain_kind) != std::string::npos;
    phase.name = phase_names_.free(spoken ? plain_kind : slug(title));
    put_sentences(report_, asked_by_heading(title), block.line, phase);
    document_.phases.push_back(std::move(phase));
  }

  void take_exact(Exact const& exact, std::string const& text, Block const& heading) {
    auto end = at_ + 1;
    while (end < blocks_.size() && blocks_[end].kind != BlockKind::heading) {
      ++end;
    }
    auto const body = std::span(blocks_).subspan(at_ + 1, end - at_ - 1);
    auto part = exact_part(report_, exact, body);
    at_ = end - 1;
    put_exact(exact, std::move(part), text, heading);
  }

  void put_exact(Exact const& exact, Draft part, std::string const& text, Block const& heading) {
    using Kind = Exact::Kind;
    if (exact.kind == Kind::phase) {
      auto const number = numbered(text);
      begin_phase(exact.name, number ? number->number : 0, heading);
      last_phase()->name = exact.name;
      last_phase()->exact = std::move(part);
      last_phase()->exact["steps"] = Draft::array();
      return;
    }
    if (exact.kind == Kind::final_check) {
      document_.exact_final_checks.push_back(std::move(part));
      return;
    }
    if (exact.kind == Kind::baseline) {
      document_.exact_baselines[exact.name] = part.value("sql", "");
      return;
    }
    if (last_phase() == nullptr) {
      report_.say(Severity::error, heading.line, "import/no-phase", "this stands before any phase",
                  "put it below the heading of its phase");
      return;
    }
    char const* key = exact.kind == Kind::step          ? "steps"
                      : exact.kind == Kind::requirement ? "requires"
                      : exact.kind == Kind::watch       ? "watch"
                                                        : "validate";
    last_phase()->exact[key].push_back(std::move(part));
  }

  void take_paragraph(Block const& block) {
    for (auto const& field : fields_in(block.runs)) {
      if (field.label.empty() && is_label(block, field)) {
        set_label(field.value);
        group_ = field.value;
        continue;
      }
      if (field.label.empty()) {
        take_prose(field.value, field.line);
        continue;
      }
      if (field.value.empty()) {
        set_label(field.label);
        group_ = field.label;
      }
      take_field(field);
    }
  }

  void take_prose(std::string const& text, int line) {
    auto* in = phase();
    auto const sentences = sentences_in(text);
    if (is_exact()) {
      return;
    }
    if (back_ || (in != nullptr && role_of(label_) == Role::rollback)) {
      tell_lost(report_, sentences, line, "it stands below a way back");
    } else if (auto const field = in == nullptr ? std::nullopt : plain_field(text, line)) {
      take_field(*field);
    } else if (in != nullptr) {
      put_sentences(report_, sentences, line, *in);
    } else if (section_ == Section::unknown || section_ == Section::runbook) {
      tell_lost(report_, sentences, line, "it stands below the heading of no phase");
    }
  }

  void take_field(Field const& field) {
    if (section_ == Section::head || section_ == Section::tables) {
      last_head_label_ = field.label;
      return put_head_field(report_, field, document_);
    }
    if (auto* in = phase(); in != nullptr && !back_) {
      label_ = put_phase_field(report_, field, *in) ? field.label : label_;
    } else if (!field.value.empty()) {
      take_prose(field.label + ": " + field.value, field.line);
    }
  }

  void take_item(Block const& block) {
    if (back_) {
      return put_back_item(item_of(block));
    }
    if (section_ == Section::runbook) {
      return take_check_item(item_of(block));
    }
    if (section_ == Section::head && mentions(last_head_label_, "duration")) {
      auto const text = markdown::plain(block.runs);
      auto& duration = document_.head["overview"]["estimated_duration"];
      if (text.find("[~X") == std::string::npos && !is_placeholder(text)) {
        auto const before = duration.is_string() ? duration.get<std::string>() + "\n" : "";
        duration = before + escape(text);
      } else if (duration.is_null()) {
        document_.head["overview"].erase("estimated_duration");
      }
      return;
    }
    auto* in = phase();
    auto const text = markdown::plain(block.runs);
    if (in != nullptr && text.ends_with(':') && says_way_back(text)) {
      set_label(text);
    } else if (in != nullptr && role_of(label_) == Role::rollback) {
      put_back_item(item_of(block));
    } else if (in != nullptr && block.task) {
      in->checklist.push_back(item_of(block));
    } else if (block.task && section_ == Section::unknown) {
      take_check_item(item_of(block));
    } else if (in != nullptr || section_ == Section::unknown) {
      take_prose(text, block.line);
    } else if (section_ == Section::head) {
      for (auto const& field : fields_in(block.runs)) {
        take_field(field);
      }
    }
  }

  bool is_exact() const {
    return std::ranges::any_of(document_.phases, [](auto const& p) { return p.is_exact(); });
  }

  void take_check_item(ListItem const& item) {
    bool const exact = is_exact();
    if (exact && !item.task) {
      return;  // what the daemon does, listed for people
    }
    if (lower(item.text).starts_with("deploy")) {
      document_.deploys_listed = true;
    }
    auto* in = phase_named(group_);
    if (in != nullptr && !exact) {
      in->checklist.push_back(item);
      return;
    }
    auto const low = lower(group_);
    Draft entry{{"when", in != nullptr                    ? in->name
                         : mentions(low, "post", "after") ? "after"
                                                          : "before"},
                {"item", escape(item.text)}};
    if (!item.owner.empty()) {
      entry["owner"] = escape(item.owner);
    }
    document_.checklist.push_back(std::move(entry));
  }

  void take_row(Block const& block) {
    if (block.header) {
      header_ = block;
      return;
    }
    put_row(report_, header_, block, document_);
  }

  static Code code_of(Block const& block, std::string label) {
    return {.sql = {.text = block.text,
                    .place = {"", block.first_line, block.indent + 1},
                    .indent = block.indent},
            .label = std::move(label),
            .line = block.line};
  }

  void take_code(Block const& block) {
    if (!is_sql(block)) {
      if (mentions(lower(block.info), "mysql")) {
        report_.say(Severity::warning, block.line, "import/engine",
                    "this block is SQL of another database, and was left out");
      }
      return take_commands(block);
    }
    auto code = code_of(block, label_);
    code.sql.place.file = report_.file;
    auto const role = role_of(label_);
    if (auto back = cut_way_back(code.sql)) {  // "-- Down"
      document_.ways_back.push_back({.code = {.sql = std::move(*back),
                                              .role = Role::rollback,
                                              .label = "",
                                              .line = block.line},
                                     .phase_line = phase() == nullptr ? 0 : phase()->line,
                                     .heading = "a comment in the same block",
                                     .sure = false});
    }
    if (back_ || role == Role::rollback) {
      return put_back(std::move(code));
    }
    if (section_ == Section::validation) {
      return take_validation(std::move(code), role);
    }
    auto* in = phase();
    bool const works = role == Role::forward && !only_reads(code.sql.text);
    if (in == nullptr && !(works && section_ != Section::ignored && section_ != Section::tables)) {
      return;
    }
    if (in == nullptr) {  // "## Migration SQL" without phases, "## The new column"
      begin_phase(section_ == Section::unknown ? heading_ : "Migrate", 0, block);
      phase_level_ = section_level_;
      in = last_phase();
    }
    put_code(*in, std::move(code), role);
  }

  // Commands for a shell.
  void take_commands(Block const& block) {
    if (!is_commands(block) || is_exact() || section_ == Section::ignored) {
      return;
    }
    auto* in = phase();
    bool const steps = in != nullptr && !back_ && role_of(label_) == Role::forward;
    report_.say(Severity::warning, block.line, "import/by-hand",
                steps ? "commands for a shell are no SQL; they became a manual step"
                      : "commands for a shell are no SQL, and belong to no step; they are not in "
                        "the plan",
                "what a person does is best said as a box in the phase's list: - [ ] …");
    if (steps) {
      auto code = code_of(block, "");
      code.role = Role::by_hand;
      code.sql.text = "Run in a shell:\n" + block.text;
      in->code.push_back(std::move(code));
    }
  }

  void put_code(PhaseText& in, Code code, Role role) {
    bool const reads = role == Role::forward && only_reads(code.sql.text);
    code.role = reads ? Role::validation : role;
    if (code.role == Role::monitoring) {
      report_.say(
          Severity::note, code.line, "import/monitoring",
          "queries that show progress are left out: `runbookctl status` shows it, with rate and "
          "time left");
      return;
    }
    if (code.role == Role::baseline) {
      document_.baselines.push_back(std::move(code));
      return;
    }
    in.code.push_back(std::move(code));
  }

  // "Pre-migration baseline", "Post-backfill integrity check", "Final check"
  void take_validation(Code code, Role role) {
    auto const low = lower(label_);
    if (role == Role::baseline ||
        mentions(low, "pre-migration", "before migration", "before the")) {
      document_.baselines.push_back(std::move(code));
      return;
    }
    auto* in = phase_named(label_);
    bool const last = in != nullptr && in == last_phase();
    if (in == nullptr || last || mentions(low, "final")) {
      document_.final_checks.push_back(std::move(code));
      return;
    }
    code.role = Role::validation;
    in->code.push_back(std::move(code));
  }

  Report& report_;
  std::vector<Block> blocks_;
  std::size_t at_ = 0;
  DocumentText document_;
  Section section_ = Section::head;
  int section_level_ = 0, phase_level_ = 0;
  bool titled_ = false;
  std::optional<BackScope> back_;
  std::string heading_, label_, group_, last_head_label_;
  Block header_;
  Names phase_names_;
};

}  // namespace

DocumentText read_document_text(Report& report, std::string const& text) {
  return Gatherer(report, markdown::read(text)).document();
}

}  // namespace runbookd::planner::import
