// Constraints: what checks every row while the table is locked.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

// A constraint that the statement adds to a table that was there before, alone or with a column.
struct Added {
  Command const& command;
  Node node;  // Constraint
  std::string type;
  Node column;  // the new column that brings it; nothing = it comes alone
};

std::vector<Added> added(Site const& site) {
  std::vector<Added> all;
  if (!site.node.is("AlterTableStmt") || site.is_new()) {
    return all;
  }
  for (auto const& command : site.commands) {
    if (command.type == "AT_AddConstraint") {
      all.push_back({command, command.def, command.def.text("contype"), {}});
    } else if (command.type == "AT_AddColumn") {
      for (auto const constraint : command.def.list("constraints")) {
        all.push_back({command, constraint, constraint.text("contype"), command.def});
      }
    }
  }
  return all;
}

bool is_partitioned(Site const& site) {
  auto const* table = site.table();
  return table != nullptr && table->kind == RelationKind::partitioned_table;
}

// ADD CONSTRAINT c … in a file: the same, NOT VALID, and validated by a statement of its own.
std::vector<TextEdit> validate_after(Site const& site, Added const& one) {
  auto const name = one.node.text("conname");
  bool const alone =
      site.commands.size() == 1 && !one.column && !name.empty() && site.alone && !site.in_plan();
  auto const edit = alone
                        ? site.adding_at_end(" NOT VALID;\nALTER TABLE " + to_sql(site.name_of()) +
                                             " VALIDATE CONSTRAINT " + quoted_identifier(name))
                        : std::nullopt;
  return edit ? std::vector{*edit} : std::vector<TextEdit>{};
}

// A CHECK on a new column without a default is looked at in every row all the same.
Hits without_not_valid(Site const& site) {
  Hits hits;
  for (auto const& one : added(site)) {
    bool const foreign = one.type == "CONSTR_FOREIGN";
    bool const null_everywhere = one.column && !has_constraint(one.column, "CONSTR_DEFAULT");
    if ((!foreign && one.type != "CONSTR_CHECK") || one.node.flag("skip_validation") ||
        (foreign && null_everywhere)) {
      continue;
    }
    auto const tables = site.existing(one.command.effects.scans);
    if (tables.empty()) {
      continue;
    }
    auto const name = one.node.text("conname");
    bool const no_other_way = foreign && is_partitioned(site) && site.major() < 18;
    hits.push_back(
        {.why = std::string(foreign ? "adding a foreign key" : "adding a CHECK") +
                " checks every row that is there, and the table stays locked meanwhile",
         .fix = no_other_way ? "before PostgreSQL 18 a foreign key of a partitioned table cannot "
                               "be NOT VALID: add it NOT VALID to each partition, VALIDATE it "
                               "there, then add it to the partitioned table"
                             : "write ADD CONSTRAINT … NOT VALID here, then VALIDATE CONSTRAINT " +
                                   (name.empty() ? "…" : name) +
                                   " in a later step: it checks the rows and blocks neither "
                                   "reads nor writes",
         .offset = one.column ? site.location(one.column) : site.location(one.node),
         .tables = tables,
         .edits = no_other_way ? std::vector<TextEdit>{} : validate_after(site, one)});
  }
  return hits;
}

Hits not_valid_on_partitioned(Site const& site) {
  for (auto const& one : added(site)) {
    if (one.type == "CONSTR_FOREIGN" && one.node.flag("skip_validation") && is_partitioned(site) &&
        site.major() < 18) {
      return {{.on = to_sql(site.name_of()), .offset = site.location(one.node)}};
    }
  }
  return {};
}

Hits builds_index(Site const& site) {
  Hits hits;
  for (auto const& one : added(site)) {
    bool const key = one.type == "CONSTR_UNIQUE" || one.type == "CONSTR_PRIMARY";
    auto const tables = site.existing(one.command.effects.scans);
    if (key && one.node.text("indexname").empty() && !tables.empty()) {
      hits.push_back({.why = "the constraint builds its index while nobody can read or write " +
                             joined(tables),
                      .offset = site.location(one.column ? one.column : one.node),
                      .tables = tables});
    }
  }
  return hits;
}

Hits exclusion(Site const& site) {
  Hits hits;
  for (auto const& one : added(site)) {
    if (one.type == "CONSTR_EXCLUSION" && one.node.text("indexname").empty()) {
      hits.push_back(
          {.offset = site.location(one.node), .tables = site.existing(one.command.effects.scans)});
    }
  }
  return hits;
}

Hits key_over_nullable(Site const& site) {
  for (auto const& one : added(site)) {
    bool const proven = [&] {
      auto const* table = site.table();
      auto const* index = table == nullptr ? nullptr : table->index(one.node.text("indexname"));
      return index != nullptr && std::ranges::all_of(index->columns, [&](auto const& column) {
               return site.known.proves_not_null(site.name_of(), column) ||
                      (table->column(column) != nullptr && table->column(column)->not_null);
             });
    }();
    auto const tables = site.existing(one.command.effects.scans);
    if (one.type == "CONSTR_PRIMARY" && !one.node.text("indexname").empty() && !tables.empty() &&
        !proven) {
      return {{.on = joined(tables), .offset = site.location(one.node), .tables = tables}};
    }
  }
  return {};
}

Hits set_not_null(Site const& site) {
  Hits hits;
  for (auto const& command : site.commands) {
    if (command.type != "AT_SetNotNull" || site.is_new() ||
        site.known.proves_not_null(site.name_of(), command.name)) {
      continue;
    }
    auto const tables = site.existing(command.effects.scans);
    if (!tables.empty()) {
      bool const by_name = site.major() >= 18;
      hits.push_back(
          {.why = "SET NOT NULL reads all of " + joined(tables) +
                  " while nobody can read or write it, because nothing proves that " +
                  command.name + " has no NULL",
           .fix = by_name
                      ? "in two earlier steps: ADD CONSTRAINT … NOT NULL " + command.name +
                            " NOT VALID (PostgreSQL 18), or CHECK (" + command.name +
                            " IS NOT NULL) NOT VALID; then VALIDATE CONSTRAINT"
                      : "prove it in two earlier steps: ADD CONSTRAINT … CHECK (" + command.name +
                            " IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT; drop it after "
                            "this one",
           .tables = tables});
    }
  }
  return hits;
}

Hits validate_here(Site const& site) {
  Hits hits;
  for (auto const& command : site.commands) {
    if (command.type != "AT_ValidateConstraint" || site.is_new()) {
      continue;
    }
    bool const added_here = std::ranges::any_of(site.known.checks, [&](KnownCheck const& check) {
      return check.in_transaction && check.name == command.name &&
             same_table(check.table, site.name_of());
    });
    auto const tables = site.existing(command.effects.scans);
    if ((added_here && site.known.open) || (site.commands.size() > 1 && !tables.empty())) {
      hits.push_back({.why = std::string("the rest of the ") +
                             (site.in_plan() ? "step" : "transaction") + " locks " +
                             site.name_of().name + " until the " +
                             (site.in_plan() ? "step" : "transaction") +
                             " ends, so it stays blocked while VALIDATE reads all of it",
                      .fix = "VALIDATE CONSTRAINT " + command.name + " in a " +
                             (site.in_plan() ? "step" : "transaction") + " of its own",
                      .tables = tables});
    }
  }
  return hits;
}

bool alters_domain(Site const& site, std::string_view what) {
  return site.node.is("AlterDomainStmt") && site.node.text("subtype") == what &&
         (!site.effects.scans.empty() || !site.before.complete);
}

Hits domain_constraint(Site const& site) {
  bool const checks = alters_domain(site, "C") && !site.node["def"].flag("skip_validation");
  return checks ? Hits{{.offset = site.location(site.node["def"]),
                        .tables = site.existing(site.effects.scans)}}
                : Hits{};
}

Hits domain_not_null(Site const& site) {
  return alters_domain(site, "O") ? Hits{{.tables = site.existing(site.effects.scans)}} : Hits{};
}

Hits drops_key(Site const& site) {
  auto const* table = site.table();
  if (table == nullptr || site.is_new() || site.takes_away()) {
    return {};
  }
  Hits hits;
  for (auto const& command : site.commands) {
    auto const* constraint =
        command.type == "AT_DropConstraint" ? table->constraint(command.name) : nullptr;
    if (constraint == nullptr || constraint->kind == Constraint::Kind::check ||
        constraint->kind == Constraint::Kind::not_null) {
      continue;
    }
    hits.push_back({.on = "constraint " + command.name});
  }
  return hits;
}

// The table at the other end of a foreign key waits as well.
Hits drop_locks_others(Site const& site) {
  bool const drops = site.node.is("DropStmt") || std::ranges::any_of(site.commands, [](auto& c) {
                       return c.type == "AT_DropConstraint" || c.type == "AT_DropColumn";
                     });
  if (!drops) {
    return {};
  }
  auto others = site.stopped(LockMode::access_exclusive);
  std::vector<std::string> named;
  for (auto const object : site.node.list("objects")) {
    named.push_back(to_sql(site.before.made_as(pg::name_of(object.list("items")))));
  }
  auto const itself =
      to_sql(site.table() != nullptr ? site.table()->name : site.before.made_as(site.name_of()));
  std::erase_if(others, [&](std::string const& name) {
    return name == itself || holds(named, name) || holds(site.effects.dropped, name);
  });
  bool const whole = site.node.is("DropStmt") && site.node.text("removeType") != "OBJECT_TABLE";
  return others.empty() || whole ? Hits{} : Hits{{.on = joined(others)}};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "lock/add-constraint-without-not-valid",
      .severity = Severity::error,
      .title = "A CHECK or foreign key is added without NOT VALID",
      .why = "every row that is there is checked, and the table stays locked meanwhile; a foreign "
             "key locks the other table as well",
      .fix = "write ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a later step",
      .like = "squawk constraint-missing-not-valid and adding-foreign-key-constraint, "
              "strong_migrations, eugene E1, Atlas PG305 and PG306",
      .weight = LintRule::Weight::by_size},
     without_not_valid},
    {{.id = "constraint/not-valid-on-partitioned",
      .severity = Severity::error,
      .title = "A NOT VALID foreign key of a partitioned table before PostgreSQL 18",
      .why = "before PostgreSQL 18 the server refuses a NOT VALID foreign key of a partitioned "
             "table",
      .fix = "add it NOT VALID to each partition, VALIDATE it there, then add it to the "
             "partitioned table"},
     not_valid_on_partitioned},
    {{.id = "lock/add-constraint-builds-index",
      .severity = Severity::error,
      .title = "A UNIQUE or PRIMARY KEY constraint builds its index in place",
      .why = "the constraint builds its index while nobody can read or write the table",
      .fix = "CREATE UNIQUE INDEX CONCURRENTLY in an earlier step, then here ADD CONSTRAINT … "
             "UNIQUE (or PRIMARY KEY) USING INDEX and the index's name",
      .like = "squawk disallowed-unique-constraint and adding-serial-primary-key-field, "
              "strong_migrations, eugene E7, Atlas PG104 and PG105",
      .weight = LintRule::Weight::by_size},
     builds_index},
    {{.id = "lock/add-exclusion-constraint",
      .severity = Severity::error,
      .title = "An exclusion constraint is added to a table in use",
      .why = "the constraint builds its index while nobody can read or write the table",
      .fix = "there is no way to build it concurrently: acknowledge it for a small table, or plan "
             "a maintenance window",
      .like = "strong_migrations, eugene E8",
      .weight = LintRule::Weight::by_size},
     exclusion},
    {{.id = "lock/primary-key-over-nullable",
      .severity = Severity::error,
      .title = "PRIMARY KEY USING INDEX over a column that may be NULL",
      .why = "a column of the index may be NULL, so the server sets it NOT NULL and reads the "
             "whole table while nobody can read or write it",
      .fix = "prove it first: CHECK (… IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT, SET NOT NULL",
      .like = "eugene W14, Atlas PG304",
      .weight = LintRule::Weight::by_size},
     key_over_nullable},
    {{.id = "lock/set-not-null-without-check",
      .severity = Severity::error,
      .title = "SET NOT NULL that nothing proves",
      .why = "SET NOT NULL reads the whole table while nobody can read or write it",
      .fix =
          "prove it in two earlier steps: ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, then "
          "VALIDATE CONSTRAINT",
      .like = "squawk adding-not-nullable-field, strong_migrations, eugene E2, Atlas PG303",
      .weight = LintRule::Weight::by_size},
     set_not_null},
    {{.id = "lock/validate-in-same-step",
      .severity = Severity::error,
      .title = "VALIDATE CONSTRAINT where a strong lock is held",
      .why = "what stands before it in the transaction keeps the table locked while VALIDATE reads "
             "all of it",
      .fix = "VALIDATE CONSTRAINT in a step of its own",
      .like = "squawk constraint-missing-not-valid, strong_migrations, eugene E4",
      .weight = LintRule::Weight::by_size},
     validate_here},
    {{.id = "lock/domain-constraint-checks-tables",
      .severity = Severity::error,
      .title = "A constraint is added to a domain without NOT VALID",
      .why = "every table with a column of the domain is locked against writes and read from end "
             "to end",
      .fix = "ALTER DOMAIN … ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a later step",
      .like = "squawk ban-alter-domain-with-add-constraint, pgsafe",
      .weight = LintRule::Weight::by_size},
     domain_constraint},
    {{.id = "lock/domain-not-null-checks-tables",
      .severity = Severity::error,
      .title = "A domain is set NOT NULL",
      .why = "every table with a column of the domain is locked against writes and read from end "
             "to end",
      .fix = "ALTER DOMAIN … ADD CONSTRAINT … CHECK (VALUE IS NOT NULL) NOT VALID, then VALIDATE "
             "CONSTRAINT in a later step",
      .like = "squawk ban-alter-domain-with-add-constraint",
      .weight = LintRule::Weight::by_size},
     domain_not_null},
    {{.id = "data/drops-key",
      .severity = Severity::warning,
      .title = "A key or foreign key is dropped",
      .why = "from here on rows may be written that break it, and then it cannot be put back",
      .fix = "drop it in the contract phase, when nothing writes any longer that relies on it",
      .like = "Atlas CD101"},
     drops_key},
    {{.id = "lock/drop-locks-others",
      .severity = Severity::warning,
      .title = "A DROP that stops another table as well",
      .why = "nobody can read or write it either while this waits and works, because a foreign "
             "key or a partition ties the two together",
      .fix = "drop foreign keys one at a time in steps of their own, and DETACH PARTITION "
             "CONCURRENTLY before a partition is dropped"},
     drop_locks_others},
});

}  // namespace

std::span<StatementRule const> constraint_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
