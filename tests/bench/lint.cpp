// How long it takes to judge a long script, beside parsing it alone: parse, effects and every rule.
#include "planner/lint.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include <pg_query.h>

#include "planner/effects.h"
#include "planner/pg_tree.h"

namespace {

std::string migration(int tables) {
  std::string sql = "SET lock_timeout = '2s';\n";
  for (int i = 0; i < tables; ++i) {
    auto const t = "t" + std::to_string(i);
    sql += "CREATE TABLE " + t +
           " (id bigint PRIMARY KEY, org_id bigint, email varchar(120) NOT NULL);\n";
    sql += "ALTER TABLE old_" + t + " ADD COLUMN note text DEFAULT 'x';\n";
    sql += "CREATE INDEX old_" + t + "_org_idx ON old_" + t + " (org_id);\n";
    sql += "ALTER TABLE old_" + t + " ADD CONSTRAINT c CHECK (org_id IS NOT NULL) NOT VALID;\n";
    sql += "UPDATE old_" + t + " SET note = 'y' WHERE id BETWEEN 1 AND 1000;\n";
  }
  return sql;
}

// As pg_dump writes a schema: qualified names, each thing in a statement of its own, comments.
std::string dump(int tables) {
  std::string made, keyed, referring;
  for (int i = 0; i < tables; ++i) {
    auto const name = "customer_order_" + std::to_string(i);
    auto const t = "public." + name;
    made += "--\n-- Name: " + name + "; Type: TABLE; Schema: public; Owner: app\n--\n\n";
    made += "CREATE TABLE " + t +
            " (\n    id bigint NOT NULL,\n    customer_id bigint NOT NULL,\n"
            "    status character varying(32) DEFAULT 'new'::character varying NOT NULL,\n"
            "    total numeric(12,2) DEFAULT 0 NOT NULL,\n    details jsonb DEFAULT '{}'::jsonb,\n"
            "    created_at timestamp with time zone DEFAULT now() NOT NULL,\n    CONSTRAINT " +
            name + "_total_check CHECK ((total >= (0)::numeric))\n);\n\n";
    made +=
        "CREATE SEQUENCE " + t + "_id_seq\n    START WITH 1\n    INCREMENT BY 1\n    CACHE 1;\n";
    made += "ALTER SEQUENCE " + t + "_id_seq OWNED BY " + t + ".id;\n";
    made += "COMMENT ON TABLE " + t + " IS 'orders of customers';\n";
    keyed += "ALTER TABLE ONLY " + t + " ALTER COLUMN id SET DEFAULT nextval('" + t +
             "_id_seq'::regclass);\n";
    keyed += "ALTER TABLE ONLY " + t + "\n    ADD CONSTRAINT " + name + "_pkey PRIMARY KEY (id);\n";
    keyed +=
        "CREATE INDEX " + name + "_idx ON " + t + " USING btree (customer_id, created_at DESC);\n";
    referring += "ALTER TABLE ONLY " + t + "\n    ADD CONSTRAINT " + name +
                 "_fkey FOREIGN KEY (customer_id) REFERENCES public.customer_order_0(id);\n";
  }
  return "SELECT pg_catalog.set_config('search_path', '', false);\n" + made + keyed + referring;
}

template <typename Work>
double milliseconds(Work work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    auto const begin = std::clock();  // of this process: a busy machine hardly changes it
    work();
    best = std::min(best, 1e3 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return best;
}

void judge(char const* what, std::string const& sql) {
  using namespace runbookd::planner;
  LintedSql linted;
  auto const bare = milliseconds([&] { pg_query_free_parse_result(pg_query_parse(sql.c_str())); });
  auto const trees = milliseconds([&] { pg::parse(sql); });
  auto const effects = milliseconds([&] { (void)explain({.text = sql}, {}, 15); });
  auto const all = milliseconds([&] {
    linted = lint_sql({.text = sql, .place = {"bench.sql", 1, 1}}, {.server_major = 15});
  });
  std::printf(
      "%s: %zu statements, %zu findings: libpg_query alone %.0f ms, with our trees %.0f ms (%.2f "
      "x), with effects %.0f ms (%.2f x), with lint %.0f ms (%.2f x)\n",
      what, linted.statements, linted.findings.size(), bare, trees, trees / bare, effects,
      effects / bare, all, all / bare);
}

}  // namespace

int main() {
  constexpr int tables = 2'000;
  judge("migration", migration(tables));
  judge("dump", dump(tables));
}
