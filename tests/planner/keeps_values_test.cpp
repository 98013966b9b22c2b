#include "planner/keeps_values.h"

#include <string>
#include <utility>

#include <doctest/doctest.h>

using runbookd::planner::keeps_every_value;

TEST_CASE("a wider type keeps every value") {
  for (auto const& [from, to] : {
           std::pair{"integer", "bigint"},
           {"smallint", "pg_catalog.int4"},
           {"integer", "numeric"},
           {"character varying(10)", "varchar(20)"},
           {"character varying(10)", "text"},
           {"character varying", "text"},
           {"text", "text"},
           {"numeric(8,2)", "numeric(10,2)"},
           {"numeric(8,2)", "numeric(12,4)"},
           {"numeric(8,2)", "numeric"},
           {"timestamp(3) without time zone", "timestamp"},
           {"integer[]", "bigint[]"},
           {"uuid", "text"},
           {"date", "timestamp"},
       }) {
    CAPTURE(std::string(from));
    CAPTURE(std::string(to));
    CHECK(keeps_every_value(from, to));
  }
}

TEST_CASE("a narrower type, or one that depends on settings, may lose values") {
  for (auto const& [from, to] : {
           std::pair{"bigint", "integer"},
           {"bigint", "double precision"},
           {"text", "character varying(10)"},
           {"character varying(20)", "varchar(10)"},
           {"character(5)", "character(9)"},
           {"character(5)", "text"},
           {"numeric(8,2)", "numeric(8,4)"},
           {"numeric(8,2)", "numeric(10,1)"},
           {"numeric", "numeric(10,2)"},
           {"timestamp without time zone", "timestamp with time zone"},
           {"timestamp without time zone", "timestamp(3)"},
           {"date", "text"},
           {"json", "jsonb"},
           {"integer[]", "bigint"},
           {"mood", "text"},
           {"s.mood", "s.mood"},
           {"bigint", "not a type at all ("},
       }) {
    CAPTURE(std::string(from));
    CAPTURE(std::string(to));
    CHECK_FALSE(keeps_every_value(from, to));
  }
}
