// Columns: what writes every row anew, or reads it, while the table is locked.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

enum class Because { serial, identity, generated, domain, computed };

Because because(Site const& site, Node column) {
  auto const type = pg::type_of(column["typeName"], site.before);
  return type.name.find("serial") != std::string::npos ? Because::serial
         : has_constraint(column, "CONSTR_IDENTITY")   ? Because::identity
         : has_constraint(column, "CONSTR_GENERATED")  ? Because::generated
         : site.before.find_type(type) != nullptr      ? Because::domain
                                                       : Because::computed;
}

// The new columns that rewrite a table in use, for one of these causes.
Hits rewrites(Site const& site, std::initializer_list<Because> causes) {
  Hits hits;
  for (auto const& command : site.commands) {
    if (command.type != "AT_AddColumn" || site.is_new()) {
      continue;
    }
    auto const tables = site.existing(command.effects.rewrites);
    if (!tables.empty() && std::ranges::find(causes, because(site, command.def)) != causes.end()) {
      hits.push_back({.on = "column " + command.def.text("colname"),
                      .offset = site.location(command.def),
                      .tables = tables});
    }
  }
  return hits;
}

// A function of one's own that the catalog does not have: it may be volatile.
std::string unknown_function(Command const& command) {
  constexpr std::string_view taken = "() is taken for a function of the server";
  constexpr std::string_view steady[] = {"now",
                                         "statement_timestamp",
                                         "transaction_timestamp",
                                         "txid_current",
                                         "date_trunc",
                                         "date_part",
                                         "timezone",
                                         "to_timestamp",
                                         "to_date",
                                         "to_char",
                                         "make_date",
                                         "make_interval",
                                         "age",
                                         "floor",
                                         "ceil",
                                         "round",
                                         "trunc",
                                         "abs",
                                         "power",
                                         "sqrt",
                                         "lower",
                                         "upper",
                                         "initcap",
                                         "concat",
                                         "format",
                                         "left",
                                         "right",
                                         "lpad",
                                         "rpad",
                                         "btrim",
                                         "replace",
                                         "substring",
                                         "substr",
                                         "length",
                                         "md5",
                                         "encode",
                                         "decode",
                                         "chr",
                                         "array_fill",
                                         "to_jsonb",
                                         "to_json",
                                         "jsonb_build_object",
                                         "json_build_object",
                                         "jsonb_build_array",
                                         "jsonb_object",
                                         "json_build_array",
                                         "current_setting",
                                         "string_to_array",
                                         "extract",
                                         "pg_current_xact_id",
                                         "coalesce"};
  for (auto const& sentence : command.effects.assumed) {
    if (sentence.ends_with(taken)) {
      auto name = sentence.substr(0, sentence.size() - taken.size());
      if (auto const dot = name.rfind('.'); dot != std::string::npos) {
        name.erase(0, dot + 1);
      }
      if (!holds(steady, name)) {
        return name;
      }
    }
  }
  return "";
}

Hits volatile_default(Site const& site) {
  auto hits = rewrites(site, {Because::computed});
  for (auto const& command : site.commands) {
    auto const function =
        command.type == "AT_AddColumn" && !site.is_new() ? unknown_function(command) : "";
    if (!function.empty() && command.effects.rewrites.empty()) {
      hits.push_back({.on = "column " + command.def.text("colname"),
                      .why = "the whole table is written anew, while nobody can read or write "
                             "it, if " +
                             function + "() is VOLATILE (psql: \\df+ " + function + ")",
                      .fix = "if it is IMMUTABLE or STABLE, nothing; else add the column without "
                             "the default, set the default for new rows in a second statement, "
                             "and fill the old rows by a backfill step",
                      .offset = site.location(command.def),
                      .severity = Severity::warning});
    }
  }
  return hits;
}

Hits numbers_rows(Site const& site) { return rewrites(site, {Because::serial, Because::identity}); }
Hits generated(Site const& site) { return rewrites(site, {Because::generated}); }
Hits of_domain(Site const& site) { return rewrites(site, {Because::domain}); }

bool has_value(Node column) {
  return has_constraint(column, "CONSTR_DEFAULT") || has_constraint(column, "CONSTR_IDENTITY") ||
         has_constraint(column, "CONSTR_GENERATED") ||
         pg::type_of(column["typeName"]).name.find("serial") != std::string::npos;
}

Hits not_null_without_default(Site const& site) {
  Hits hits;
  auto const* table = site.table();
  bool const empty = table != nullptr && table->rows == 0;
  for (auto const& command : site.commands) {
    bool const needs = has_constraint(command.def, "CONSTR_NOTNULL") ||
                       has_constraint(command.def, "CONSTR_PRIMARY");
    bool const there = table != nullptr && table->column(command.def.text("colname")) != nullptr;
    if (command.type == "AT_AddColumn" && !site.is_new() && needs && !there && !empty &&
        !has_value(command.def)) {
      hits.push_back(
          {.on = "column " + command.def.text("colname"), .offset = site.location(command.def)});
    }
  }
  return hits;
}

// Types that a shorter or equal type of the same kind becomes without a rewrite.
bool may_be_free(Node definition) {
  auto const type = pg::type_of(definition["typeName"]);
  constexpr std::string_view wide[] = {"text",   "varchar",   "numeric",  "timestamptz",
                                       "varbit", "timestamp", "interval", "time"};
  return !type.array && holds(wide, type.name) && !definition.has("raw_default");
}

bool column_known(Site const& site, std::string const& name) {
  auto const* table = site.table();
  return table != nullptr && table->column(name) != nullptr;
}

Hits type_change(Site const& site) {
  Hits hits;
  for (auto const& command : site.commands) {
    auto const tables = site.existing(command.effects.rewrites);
    if (command.type != "AT_AlterColumnType" || tables.empty() || site.is_new()) {
      continue;
    }
    bool const maybe = may_be_free(command.def) && !column_known(site, command.name);
    hits.push_back(
        {.why = "changing the type of " + command.name + " rewrites " + joined(tables) +
                " and its indexes while nobody can read or write it" +
                (maybe ? ", unless the old type is a narrower one of the same kind" : ""),
         .offset = site.location(command.def),
         .severity = maybe ? std::optional(Severity::warning) : std::nullopt,
         .tables = tables});
  }
  return hits;
}

Hits type_change_reads(Site const& site) {
  Hits hits;
  for (auto const& command : site.commands) {
    auto const tables = site.existing(command.effects.scans);
    if (command.type == "AT_AlterColumnType" && command.effects.rewrites.empty() &&
        !tables.empty() && !site.is_new()) {
      hits.push_back(
          {.on = "column " + command.name, .offset = site.location(command.def), .tables = tables});
    }
  }
  return hits;
}

bool refused(Effects const& effects) {
  return std::ranges::any_of(effects.assumed, [](std::string const& sentence) {
    return sentence.starts_with("the server refuses this while");
  });
}

Hits type_change_refused(Site const& site) {
  for (auto const& command : site.commands) {
    if (command.type == "AT_AlterColumnType" && refused(command.effects)) {
      auto const sentence = *std::ranges::find_if(command.effects.assumed, [](auto const& s) {
        return s.starts_with("the server refuses this while");
      });
      return {
          {.on = "column " + command.name, .why = sentence, .offset = site.location(command.def)}};
    }
  }
  return {};
}

int width(TypeName const& type) {
  constexpr std::string_view names[] = {"int2", "int4", "int8", "numeric"};
  auto const found = std::ranges::find(names, type.name);
  return found == std::end(names) ? -1 : static_cast<int>(found - std::begin(names));
}

bool narrower(TypeName const& from, TypeName const& to) {
  bool const numbers = width(from) >= 0 && width(to) >= 0 && width(to) < width(from);
  bool const texts = (from.name == "text" || from.name == "varchar") && to.name == "varchar" &&
                     !to.modifiers.empty() &&
                     (from.modifiers.empty() || to.modifiers[0] < from.modifiers[0]);
  bool const day = from.name.starts_with("timestamp") && to.name == "date";
  return numbers || texts || day;
}

Hits narrows(Site const& site) {
  Hits hits;
  auto const* table = site.table();
  for (auto const& command : site.commands) {
    auto const* column = command.type == "AT_AlterColumnType" && table != nullptr
                             ? table->column(command.name)
                             : nullptr;
    if (column != nullptr && !site.is_new() &&
        narrower(column->type, pg::type_of(command.def["typeName"]))) {
      hits.push_back({.on = "column " + command.name, .offset = site.location(command.def)});
    }
  }
  return hits;
}

// Found with the column, and gone with it without a word.
Hits takes_along(Site const& site) {
  Hits hits;
  auto const* table = site.table();
  for (auto const& command : site.commands) {
    if (command.type != "AT_DropColumn" || table == nullptr || site.is_new()) {
      continue;
    }
    std::vector<std::string> gone;
    for (auto const& constraint : table->constraints) {
      if (constraint.columns.size() > 1 && holds(constraint.columns, command.name)) {
        gone.push_back("constraint " + constraint.name);
      }
    }
    for (auto const& index : table->indexes) {
      if (!index.constraint && index.columns.size() > 1 && holds(index.columns, command.name)) {
        gone.push_back("index " + index.name.name);
      }
    }
    if (!gone.empty()) {
      hits.push_back({.on = joined(gone)});
    }
  }
  return hits;
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "lock/volatile-default-rewrites",
      .severity = Severity::error,
      .title = "A new column has a default that differs from row to row",
      .why = "each row gets a value of its own, so the whole table is written anew while nobody "
             "can read or write it",
      .fix = "add the column without it, set the default for new rows in a second statement, and "
             "fill the old rows by a backfill step",
      .like = "squawk adding-field-with-default, strong_migrations, eugene E10, Atlas PG302",
      .weight = LintRule::Weight::by_size},
     volatile_default},
    {{.id = "lock/new-column-numbers-rows",
      .severity = Severity::error,
      .title = "A serial or identity column is added to a table in use",
      .why = "every row is numbered, so the whole table is written anew while nobody can read or "
             "write it",
      .fix = "add a plain bigint column, give it a sequence as default for new rows, fill the old "
             "rows by a backfill step, then ADD GENERATED … AS IDENTITY",
      .like = "squawk adding-serial-primary-key-field, strong_migrations, eugene E11",
      .weight = LintRule::Weight::by_size},
     numbers_rows},
    {{.id = "lock/stored-generated-rewrites",
      .severity = Severity::error,
      .title = "A stored generated column is added to a table in use",
      .why = "the column is computed for every row, so the whole table is written anew while "
             "nobody can read or write it",
      .fix = "add a plain column, fill it by a trigger and a backfill step; or from PostgreSQL 18 "
             "a VIRTUAL one",
      .like = "squawk adding-field-with-default, strong_migrations, eugene E11",
      .weight = LintRule::Weight::by_size},
     generated},
    {{.id = "lock/constrained-domain-rewrites",
      .severity = Severity::error,
      .title = "A new column is of a domain with constraints",
      .why = "the domain's constraints are checked for every row, and the whole table is written "
             "anew while nobody can read or write it",
      .fix = "add the column with the domain's own type and a CHECK … NOT VALID that says the same",
      .like = "squawk ban-create-domain-with-constraint, pgsafe",
      .weight = LintRule::Weight::by_size},
     of_domain},
    {{.id = "data/add-not-null-without-default",
      .severity = Severity::warning,
      .title = "A new column is NOT NULL without a default",
      .why = "NOT NULL without a default fails as soon as the table has a row",
      .fix = "add it nullable, backfill it, then prove and set NOT NULL",
      .like = "squawk adding-required-field, strong_migrations, Atlas MF103"},
     not_null_without_default},
    {{.id = "lock/type-change-rewrites",
      .severity = Severity::error,
      .title = "A change of type that writes every row anew",
      .why = "the table and its indexes are written anew while nobody can read or write it",
      .fix = "add a column of the new type, write both, backfill it, then switch over",
      .like = "squawk changing-column-type, strong_migrations, eugene E5, Atlas PG301",
      .weight = LintRule::Weight::by_size},
     type_change},
    {{.id = "lock/type-change-reads",
      .severity = Severity::error,
      .title = "A change of type that reads every row again",
      .why = "no row is written anew, but a CHECK, a foreign key or an index over the column makes "
             "the server read the whole table while nobody can read or write it",
      .fix = "drop the CHECK first and add it NOT VALID again; or add a column of the new type",
      .like = "strong_migrations",
      .weight = LintRule::Weight::by_size},
     type_change_reads},
    {{.id = "sql/type-change-refused",
      .severity = Severity::error,
      .title = "A change of type of a column that a view reads",
      .why = "the server refuses to change the type of a column that a view reads",
      .fix = "drop the view and make it again in the same transaction"},
     type_change_refused},
    {{.id = "data/type-change-narrows",
      .severity = Severity::warning,
      .title = "A change to a narrower type",
      .why = "values that do not fit make the statement fail after it has read much of the table, "
             "or lose what was cut; and the way back does not bring it again",
      .fix = "add a CHECK … NOT VALID that says what fits, VALIDATE it, then change the type"},
     narrows},
    {{.id = "data/drop-takes-along",
      .severity = Severity::warning,
      .title = "A dropped column takes constraints or indexes of several columns along",
      .why = "it goes with the column without a word, for the other columns as well",
      .fix = "make what is still needed of the other columns first",
      .like = "pg-migration-lint"},
     takes_along},
});

}  // namespace

std::span<StatementRule const> column_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
