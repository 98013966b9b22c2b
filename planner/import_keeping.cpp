// Dropping a column so that it can come back with its values: a copy of them is kept, and the way
// back puts column and values where they were. Needs the schema: type, key, foreign keys, indexes.
#include <algorithm>
#include <regex>

#include "planner/import_parts.h"
#include "planner/variables.h"

namespace runbookd::planner::import {
namespace {

std::string word(std::string const& name) { return quoted_identifier(name); }

// As SQL writes it; nothing for types whose modifiers are not what stands in the parentheses.
std::optional<std::string> type_text(TypeName const& type) {
  if (!type.modifiers.empty() && type.name == "interval") {
    return std::nullopt;
  }
  std::string text = type.schema.empty() ? word(type.name) : to_sql({type.schema, type.name});
  for (std::size_t i = 0; i < type.modifiers.size(); ++i) {
    text += (i == 0 ? "(" : ", ") + std::to_string(type.modifiers[i]);
  }
  text += type.modifiers.empty() ? "" : ")";
  return text + (type.array ? "[]" : "");
}

std::string_view action_words(char action) {
  switch (action) {
    case 'r':
      return "RESTRICT";
    case 'c':
      return "CASCADE";
    case 'n':
      return "SET NULL";
    case 'd':
      return "SET DEFAULT";
    default:
      return "";
  }
}

std::optional<std::string> reference_text(Constraint const& constraint) {
  if (constraint.columns.size() != 1 || constraint.referenced_columns.size() != 1 ||
      !constraint.validated || !constraint.enforced) {
    return std::nullopt;
  }
  std::string text = " CONSTRAINT " + word(constraint.name) + " REFERENCES " +
                     to_sql(constraint.references) + " (" +
                     word(constraint.referenced_columns.front()) + ")";
  for (auto const& [when, action] : {std::pair{" ON DELETE ", constraint.on_delete},
                                     std::pair{" ON UPDATE ", constraint.on_update}}) {
    if (auto const words = action_words(action); !words.empty()) {
      text += when + std::string(words);
    }
  }
  return text;
}

bool uses(std::vector<std::string> const& columns, std::string const& column) {
  return std::ranges::find(columns, column) != columns.end();
}

// The column as ADD COLUMN takes it; nothing where it has what an empty column cannot be given.
std::optional<std::string> definition_of(Relation const& table, Column const& column) {
  auto const type = type_text(column.type);
  bool const plain = column.identity == 0 && column.generated == 0 && !column.value &&
                     column.collation.empty() && !column.not_null;
  if (!type || !plain) {
    return std::nullopt;
  }
  auto text = word(column.name) + " " + *type;
  for (auto const& constraint : table.constraints) {
    bool const about =
        uses(constraint.columns, column.name) || uses(constraint.expression.columns, column.name);
    if (about && constraint.kind != Constraint::Kind::foreign_key) {
      return std::nullopt;
    }
    if (about) {
      auto const reference = reference_text(constraint);
      if (!reference) {
        return std::nullopt;
      }
      text += *reference;
    }
  }
  return text;
}

std::vector<std::string> key_of(Relation const& table) {
  for (auto const& constraint : table.constraints) {
    if (constraint.kind == Constraint::Kind::primary_key) {
      return constraint.columns;
    }
  }
  return {};
}

Relation const* table_in(Explanation const& schema, std::string const& written) {
  for (auto const& [name, relation] : schema.catalog.relations()) {
    if (to_sql(name) == written || word(name.name) == written) {
      return &relation;
    }
  }
  return nullptr;
}

struct Kept {
  std::string table, column, copy, definition;
  std::vector<std::string> key;

  std::string key_list(std::string const& prefix = "") const {
    std::string list;
    for (auto const& name : key) {
      list += (list.empty() ? "" : ", ") + prefix + word(name);
    }
    return list;
  }
  std::string same_row(std::string const& left, std::string const& right) const {
    std::string condition;
    for (auto const& name : key) {
      condition += (condition.empty() ? "" : " AND ") + left + "." + word(name) + " = " + right +
                   "." + word(name);
    }
    return condition;
  }
};

Draft copy_step(Kept const& kept, Names& names) {
  return {{"#",
           "Kept so that the way back brings the values back; drop the copy when nobody can want "
           "them any more."},
          {"name", names.free("keep-" + slug(kept.column))},
          {"sql", "CREATE TABLE " + kept.copy + " AS\n  SELECT " + kept.key_list() + ", " +
                      kept.column + " FROM " + kept.table + " WHERE " + kept.column +
                      " IS NOT NULL;\nALTER TABLE " + kept.copy + " ADD PRIMARY KEY (" +
                      kept.key_list() + ");"},
          {"statement_timeout", "1h"},
          {"rollback", "DROP TABLE " + kept.copy}};
}

Draft proof_step(Kept const& kept, Names& names) {
  auto const missing = "SELECT 1 FROM " + kept.table + " t\n      WHERE t." + kept.column +
                       " IS NOT NULL\n        AND NOT EXISTS (SELECT 1 FROM " + kept.copy +
                       " k\n                        WHERE " + kept.same_row("k", "t") + " AND k." +
                       kept.column + " = t." + kept.column + ")";
  return {{"#", "Its way back fills the column from the copy."},
          {"name", names.free("prove-copy-of-" + slug(kept.column))},
          {"sql", escape("DO $$\nBEGIN\n  IF EXISTS (\n      " + missing +
                         "\n  ) THEN\n    RAISE EXCEPTION '" + kept.copy + " lacks values of " +
                         kept.table + "." + kept.column + "';\n  END IF;\nEND\n$$")},
          {"statement_timeout", "1h"},
          {"rollback",
           {{"backfill",
             {{"table", kept.table},
              {"set", {{kept.column, kept.copy + "." + kept.column}}},
              {"from", kept.copy},
              {"where", kept.same_row(kept.table, kept.copy) + " AND " + kept.table + "." +
                            kept.column + " IS NULL"}}}}}};
}

}  // namespace

std::string index_definition(Explanation const& schema, std::string const& index) {
  for (auto const& one : schema.statements) {
    if (one.statement.kind.starts_with("CREATE INDEX") &&
        undo_of(one.statement).subject == "index " + index) {
      auto text = one.statement.sql.text;
      auto const at = lower(text).find("index");
      if (lower(text).find("concurrently") == std::string::npos && at != std::string::npos) {
        text.insert(at + 5, " CONCURRENTLY");
      }
      return text;
    }
  }
  return "";
}

std::vector<Draft> keeping_steps(DroppedColumn const& dropped, Explanation const& schema,
                                 Names& names) {
  auto const* table = table_in(schema, dropped.table);
  auto const* column = table == nullptr ? nullptr : table->column(dropped.column);
  auto const key = table == nullptr ? std::vector<std::string>{} : key_of(*table);
  auto const definition =
      column == nullptr || uses(key, column->name) ? std::nullopt : definition_of(*table, *column);
  if (!definition || key.empty()) {
    return {};
  }
  Kept const kept{.table = dropped.table,
                  .column = dropped.column,
                  .copy = word(table->name.name + "_" + column->name + "_kept"),
                  .definition = *definition,
                  .key = key};
  std::vector<Draft> steps{copy_step(kept, names), proof_step(kept, names)};
  for (auto const& index : table->indexes) {
    if (uses(index.columns, column->name) && !index.constraint) {
      auto const made = index_definition(schema, to_sql({"", index.name.name}));
      if (made.empty()) {
        return {};
      }
      steps.push_back({{"#",
                        "Before the column, which would take the index along under a lock that "
                        "stops reads and writes."},
                       {"name", names.free("drop-" + slug(index.name.name))},
                       {"sql", "DROP INDEX CONCURRENTLY " + to_sql(index.name)},
                       {"rollback", escape(made)}});
    }
  }
  steps.push_back(
      {{"name", names.free("drop-" + slug(dropped.column))},
       {"sql", "ALTER TABLE " + dropped.table + " DROP COLUMN " + dropped.column},
       {"rollback", "ALTER TABLE " + dropped.table + "\n  ADD COLUMN " + kept.definition}});
  return steps;
}

}  // namespace runbookd::planner::import
