#include "planner/sql_expression.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace runbookd::planner::pg {
namespace {

// Functions of the server and of well-known extensions that give another answer each time.
constexpr std::string_view volatile_functions[] = {"array_sample",
                                                   "array_shuffle",
                                                   "clock_timestamp",
                                                   "crypt_gen_salt",
                                                   "currval",
                                                   "gen_random_bytes",
                                                   "gen_random_uuid",
                                                   "gen_salt",
                                                   "lastval",
                                                   "nextval",
                                                   "pg_sleep",
                                                   "query_to_xml",
                                                   "random",
                                                   "random_normal",
                                                   "set_config",
                                                   "setseed",
                                                   "setval",
                                                   "timeofday",
                                                   "uuid_generate_v1",
                                                   "uuid_generate_v1mc",
                                                   "uuid_generate_v4",
                                                   "uuidv4",
                                                   "uuidv7"};

using Columns = std::vector<std::string>;

template <typename T>
void sort_unique(std::vector<T>& list) {
  std::ranges::sort(list);
  list.erase(std::ranges::unique(list).begin(), list.end());
}

Node uncast(Node node) {
  while (node.is("TypeCast") || node.is("CollateClause")) {
    node = node["arg"];
  }
  return node;
}

std::optional<std::string> column_of(Node node) {
  node = uncast(node);
  auto const fields = node.is("ColumnRef") ? names(node.list("fields")) : Columns{};
  return fields.empty() ? std::nullopt : std::optional(fields.back());
}

bool is_null(Node node) { return uncast(node).is("A_Const") && uncast(node).flag("isnull"); }

std::string operator_of(Node node) {
  auto const name = names(node.list("name"));
  return name.empty() ? "" : name.back();
}

std::string swapped(std::string const& op) {
  return op == "<" ? ">" : op == ">" ? "<" : op == "<=" ? ">=" : op == ">=" ? "<=" : op;
}

std::string joined(Nodes values) {
  std::set<std::string> texts;  // of a list in any order
  for (auto const value : values) {
    texts.insert(literal(value).value_or("?"));
  }
  std::string all;
  for (auto const& text : texts) {
    all += "'" + text + "'";
  }
  return all;
}

void add_comparison(std::vector<Condition>& found, Node left, std::string const& op, Node right) {
  if (auto const column = column_of(left), value = literal(right); column && value) {
    found.push_back({*column, op, *value});
  } else if (auto const other = column_of(right), constant = literal(left); other && constant) {
    found.push_back({*other, swapped(op), *constant});
  }
}

void add_operator(std::vector<Condition>& found, Node node) {
  auto const kind = node.text("kind");
  auto const left = node["lexpr"];
  if (kind == "AEXPR_OP") {
    add_comparison(found, left, operator_of(node), node["rexpr"]);
  } else if (kind == "AEXPR_BETWEEN") {
    auto const bounds = node["rexpr"].list("items");
    if (bounds.size() == 2) {
      add_comparison(found, left, ">=", bounds[0]);
      add_comparison(found, left, "<=", bounds[1]);
    }
  } else if (kind == "AEXPR_DISTINCT" && is_null(node["rexpr"]) && column_of(left)) {
    found.push_back({*column_of(left), "is not null", ""});
  } else if (kind == "AEXPR_IN" && operator_of(node) == "=" && column_of(left)) {
    found.push_back({*column_of(left), "in", joined(node["rexpr"].list("items"))});
  } else if (kind == "AEXPR_OP_ANY" && operator_of(node) == "=" && column_of(left)) {
    found.push_back({*column_of(left), "in", joined(uncast(node["rexpr"]).list("elements"))});
  }
}

// What an AND joins.
void add_conditions(std::vector<Condition>& found, Node node) {
  if (node.is("BoolExpr") && node.text("boolop") == "AND_EXPR") {
    for (auto const part : node.list("args")) {
      add_conditions(found, part);
    }
  } else if (node.is("NullTest") && node.text("nulltesttype") == "IS_NOT_NULL" &&
             column_of(node["arg"])) {
    found.push_back({*column_of(node["arg"]), "is not null", ""});
  } else if (node.is("A_Expr")) {
    add_operator(found, node);
  }
}

Columns never_null(Node node) {
  if (node.is("NullTest") && node.text("nulltesttype") == "IS_NOT_NULL" && column_of(node["arg"])) {
    return {*column_of(node["arg"])};
  }
  if (node.is("A_Expr") && node.text("kind") == "AEXPR_DISTINCT" && is_null(node["rexpr"]) &&
      column_of(node["lexpr"])) {
    return {*column_of(node["lexpr"])};
  }
  if (!node.is("BoolExpr")) {
    return {};
  }
  auto const parts = node.list("args");
  if (node.text("boolop") == "NOT_EXPR") {
    auto const inner = parts.empty() ? Node{} : parts.front();
    bool const null = inner.is("NullTest") && inner.text("nulltesttype") == "IS_NULL";
    return null && column_of(inner["arg"]) ? Columns{*column_of(inner["arg"])} : Columns{};
  }
  Columns found;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto part = never_null(parts[i]);
    sort_unique(part);
    Columns merged;
    if (node.text("boolop") == "AND_EXPR" || i == 0) {
      std::ranges::set_union(found, part, std::back_inserter(merged));
    } else {
      std::ranges::set_intersection(found, part, std::back_inserter(merged));
    }
    found = std::move(merged);
  }
  return found;
}

// nextval('public.order_no'::regclass)
void add_sequence(Expression& expression, Node call, Catalog const& catalog) {
  auto const arguments = call.list("args");
  auto const text = arguments.empty() ? std::nullopt : literal(arguments.front());
  if (!text) {
    return;
  }
  auto const tree = parse("TABLE " + *text);
  if (!tree.ok() || tree.statements.empty()) {
    return;
  }
  auto const from = tree.statements.front().node.list("fromClause");
  if (from.empty()) {
    return;
  }
  auto const name = name_of(from.front());
  auto const* relation = catalog.find(name);
  expression.relations.push_back(relation != nullptr ? relation->name : name);
}

void add_call(Expression& expression, Node call, Catalog const& catalog) {
  auto const name = name_of(call.list("funcname"));
  if (name.name == "nextval") {
    add_sequence(expression, call, catalog);
  }
  auto const known = catalog.find_functions(name);
  if (!known.empty()) {
    expression.functions.push_back(known.front()->name);
  }
}

bool volatile_call(Node call, Catalog const& catalog) {
  auto const name = name_of(call.list("funcname"));
  auto const known = catalog.find_functions(name);
  if (!known.empty()) {
    return std::ranges::any_of(known, [](auto const* f) { return f->volatile_result; });
  }
  return std::ranges::find(volatile_functions, name.name) != std::end(volatile_functions) ||
         (!catalog.complete && !name.schema.empty() && name.schema != "pg_catalog");
}

bool number(std::string const& text) {
  return !text.empty() && text.find_first_not_of("-+.0123456789") == std::string::npos &&
         text.find_first_of("0123456789") != std::string::npos &&
         text.find('-', 1) == std::string::npos;
}

// -1, 0, 1; dates of ISO form compare as their letters do.
int compare(std::string const& left, std::string const& right) {
  if (number(left) && number(right)) {
    auto const l = std::stold(left);
    auto const r = std::stold(right);
    return l < r ? -1 : l > r ? 1 : 0;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

bool implied_by(Condition const& known, Condition const& wanted) {
  if (known.column != wanted.column) {
    return false;
  }
  if (known == wanted) {
    return true;
  }
  if (wanted.op == "in" && known.op == "=") {
    return wanted.value.find("'" + known.value + "'") != std::string::npos;
  }
  if (wanted.op == "=" && known.op == "in") {
    return known.value == "'" + wanted.value + "'";
  }
  auto const order = compare(known.value, wanted.value);
  if (wanted.op == ">=") {
    return ((known.op == ">=" || known.op == ">" || known.op == "=") && order >= 0);
  }
  if (wanted.op == "<") {
    return (known.op == "<" && order <= 0) || ((known.op == "<=" || known.op == "=") && order < 0);
  }
  return false;
}

}  // namespace

RelationName name_of(Node range_variable) {
  return {range_variable.text("schemaname"), range_variable.text("relname")};
}

RelationName name_of(Nodes strings) {
  std::string_view schema, name;
  for (auto const part : strings) {
    if (part.is("String")) {
      schema = std::exchange(name, part.word("sval"));
    }
  }
  return {std::string(schema), std::string(name)};
}

TypeName type_of(Node type_name) {
  auto const name = name_of(type_name.list("names"));
  TypeName type{.schema = name.schema == "pg_catalog" ? "" : name.schema, .name = name.name};
  for (auto const modifier : type_name.list("typmods")) {
    type.modifiers.push_back(modifier["ival"].number("ival"));
  }
  if (type.name == "interval" && type.modifiers.size() == 1 && type.modifiers.front() == 32767) {
    type.modifiers.clear();
  }
  type.array = !type_name.list("arrayBounds").empty();
  return type;
}

TypeName type_of(Node type_name, Catalog const& catalog) {
  auto type = type_of(type_name);
  if (auto const* own = catalog.find_type(type)) {
    type.schema = own->name.schema;
  }
  return type;
}

bool same_base(TypeName const& one, TypeName const& other) {
  return one.schema == other.schema && one.name == other.name && one.array == other.array;
}

bool virtual_column(Node definition) {
  return std::ranges::any_of(definition.list("constraints"),
                             [](Node c) { return c.text("generated_kind") == "v"; });
}

std::optional<std::string> literal(Node expression) {
  auto const node = uncast(expression);
  if (node.is("A_Expr") && operator_of(node) == "-" && !node["lexpr"]) {
    auto const positive = literal(node["rexpr"]);
    return positive ? std::optional("-" + *positive) : std::nullopt;
  }
  if (node.is("ColumnRef")) {  // in a partition's bound a bare word may stand
    return std::nullopt;
  }
  if (!node.is("A_Const") || node.flag("isnull")) {
    return std::nullopt;
  }
  if (node.has("ival")) {
    return std::to_string(node["ival"].number("ival"));
  }
  if (node.has("fval")) {
    return node["fval"].text("fval");
  }
  if (node.has("boolval")) {
    return node["boolval"].flag("boolval") ? "true" : "false";
  }
  return node["sval"].text("sval");
}

Expression expression_of(Node expression, Catalog const& catalog) {
  Expression found;
  for (auto const node : every(expression)) {
    if (node.is("ColumnRef")) {
      if (auto const column = column_of(node)) {
        found.columns.push_back(*column);
      }
    } else if (node.is("FuncCall")) {
      add_call(found, node, catalog);
    }
  }
  found.is_volatile = calls_volatile(expression, catalog);
  add_conditions(found.conditions, expression);
  found.never_null = never_null(expression);
  sort_unique(found.columns);
  sort_unique(found.functions);
  sort_unique(found.relations);
  sort_unique(found.conditions);
  sort_unique(found.never_null);
  return found;
}

bool calls_volatile(Node expression, Catalog const& catalog) {
  return std::ranges::any_of(every(expression), [&](Node node) {
    return node.is("FuncCall") && volatile_call(node, catalog);
  });
}

Node inlined_body(Tree const& tree) {
  if (!tree.ok() || tree.statements.size() != 1) {
    return {};
  }
  auto const select = tree.statements.front().node;
  bool const plain = select.is("SelectStmt") && select.list("fromClause").empty() &&
                     select.list("targetList").size() == 1 && !select["withClause"] &&
                     !select["whereClause"] && !select.has("op");
  auto const simple = plain || (select.is("SelectStmt") && select.text("op") == "SETOP_NONE" &&
                                select.list("fromClause").empty() &&
                                select.list("targetList").size() == 1 && !select["whereClause"]);
  return simple ? select.list("targetList").front()["val"] : Node{};
}

std::vector<Condition> conditions_of_bound(Node bound, std::string const& strategy,
                                           Expression const& key) {
  std::vector<Condition> found;
  if (bound.flag("is_default") || key.columns.empty()) {
    return found;
  }
  auto const& column = key.columns.front();
  if (strategy == "list") {
    auto const values = bound.list("listdatums");
    if (std::ranges::none_of(values, is_null)) {
      found.push_back({column, "is not null", ""});
      found.push_back(values.size() == 1
                          ? Condition{column, "=", literal(values.front()).value_or("?")}
                          : Condition{column, "in", joined(values)});
    } else {
      found.push_back({column, "null or in", joined(values)});
    }
  } else if (strategy == "range") {
    for (auto const& name : key.columns) {
      found.push_back({name, "is not null", ""});
    }
    auto const add = [&](Nodes values, std::string const& op) {
      if (values.size() > 1) {
        found.push_back({column, "several " + op, joined(values)});
      } else if (auto const value = values.empty() ? std::nullopt : literal(values.front())) {
        found.push_back({column, op, *value});
      }
    };
    add(bound.list("lowerdatums"), ">=");
    add(bound.list("upperdatums"), "<");
  } else {
    found.push_back({column, "hash",
                     std::to_string(bound.number("modulus")) + "/" +
                         std::to_string(bound.number("remainder"))});
  }
  return found;
}

bool implies(std::vector<Condition> const& known, std::vector<Condition> const& wanted) {
  return std::ranges::all_of(wanted, [&](Condition const& one) {
    return std::ranges::any_of(known, [&](Condition const& k) { return implied_by(k, one); });
  });
}

bool excludes(std::vector<Condition> const& known, std::vector<Condition> const& bound) {
  return std::ranges::any_of(bound, [&](Condition const& b) {
    return std::ranges::any_of(known, [&](Condition const& k) {
      if (k.column != b.column) {
        return false;
      }
      auto const order = compare(k.value, b.value);
      if (b.op == ">=") {
        return (k.op == "<" && order <= 0) || ((k.op == "<=" || k.op == "=") && order < 0);
      }
      if (b.op == "<") {
        return (k.op == ">=" || k.op == ">" || k.op == "=") && order >= 0;
      }
      return b.op == "=" && ((k.op == "<>" && order == 0) || (k.op == "=" && order != 0));
    });
  });
}

}  // namespace runbookd::planner::pg
