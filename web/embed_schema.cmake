# cmake -DIN=<plan.schema.json> -DOUT=<plan_schema.cpp> -P embed_schema.cmake
file(READ ${IN} text)
file(WRITE ${OUT} "// Made from plan.schema.json by the build.
#include \"web/plan_schema.h\"

namespace runbookd::web {

std::string_view plan_schema() {
  return R\"schema(${text})schema\";
}

}  // namespace runbookd::web
")
