# cmake -DFOLDER=<web/openapi> -DOUT=<openapi_parts.cpp> -P embed_openapi.cmake
file(GLOB files ${FOLDER}/*.yaml)
list(SORT files)
set(parts "")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND parts "    {\"${name}\", R\"part(${text})part\"},\n")
endforeach()
file(WRITE ${OUT} "// Made from web/openapi/ by the build.
#include \"web/openapi_parts.h\"

namespace runbookd::web {

std::span<OpenApiPart const> openapi_parts() {
  static constexpr OpenApiPart all[] = {
${parts}  };
  return all;
}

}  // namespace runbookd::web
")
