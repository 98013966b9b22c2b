# cmake -DSOURCE=<web/console> -DFILES=<names> -DLIBRARIES=<node_modules or empty> -DFETCH=<fetch-packages.sh>
#       -DOUT=<console_assets.cpp> -P embed.cmake
cmake_minimum_required(VERSION 3.25)

if(NOT LIBRARIES)
  execute_process(COMMAND ${FETCH} ${SOURCE} OUTPUT_VARIABLE LIBRARIES OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "the console's libraries could not be fetched (see above); or name a folder that has them: "
                        "cmake -DRUNBOOKD_CONSOLE_LIBRARIES=DIR; to build without the console: "
                        "cmake -DRUNBOOKD_CONSOLE=OFF")
  endif()
endif()

set(folder ${CMAKE_CURRENT_BINARY_DIR}/console_files)
file(REMOVE_RECURSE ${folder})
file(MAKE_DIRECTORY ${folder})

# A browser resolves addresses and not package names: the one import by name becomes one by address. What they call
# their source maps stays behind.
function(take_library from to)
  if(NOT EXISTS ${LIBRARIES}/${from})
    message(FATAL_ERROR "${LIBRARIES} holds no ${from}; leave RUNBOOKD_CONSOLE_LIBRARIES empty to have it fetched")
  endif()
  file(READ ${LIBRARIES}/${from} text)
  string(REGEX REPLACE "from ?\"preact\"" "from\"./preact.js\"" text "${text}")
  string(REGEX REPLACE "\n?//# sourceMappingURL=[^\n]*\n?" "" text "${text}")
  if(text MATCHES "from ?\"[^.]")
    message(FATAL_ERROR "${from} imports something by its name: ${CMAKE_MATCH_0}")
  endif()
  file(WRITE ${folder}/${to} "${text}")
endfunction()
take_library(preact/dist/preact.mjs preact.js)
take_library(preact/hooks/dist/hooks.mjs hooks.js)
take_library(htm/dist/htm.mjs htm.js)
foreach(name ${FILES})
  file(COPY ${SOURCE}/${name} DESTINATION ${folder})
endforeach()

set(type_of_css "text/css; charset=utf-8")
set(type_of_js "text/javascript; charset=utf-8")
set(type_of_svg "image/svg+xml")

set(hashes "")
set(arrays "")
set(table "")
set(count 0)
foreach(name ${FILES} preact.js hooks.js htm.js)
  file(SHA256 ${folder}/${name} hash)
  string(APPEND hashes "${name} ${hash}\n")
  execute_process(COMMAND gzip -9nc ${folder}/${name} OUTPUT_FILE ${folder}/${name}.gz COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${folder}/${name}.gz bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\"\n    \"" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
  file(SIZE ${folder}/${name}.gz size)
  string(REGEX REPLACE ".*\\." "" ending ${name})
  string(APPEND arrays "constexpr char file_${count}[] =\n    \"${bytes}\";\n")
  string(APPEND table
    "    {\"${name}\", \"${type_of_${ending}}\", {file_${count}, ${size}}},\n")
  math(EXPR count "${count} + 1")
endforeach()
string(SHA256 version "${hashes}")
string(SUBSTRING ${version} 0 16 version)

file(WRITE ${OUT} "// Made from web/console by the build.
#include \"web/console_assets.h\"

namespace runbookd::web {

namespace {

${arrays}
constexpr ConsoleAsset assets[] = {
${table}};

}  // namespace

std::span<ConsoleAsset const> console_assets() { return assets; }
std::string_view console_version() { return \"${version}\"; }

}  // namespace runbookd::web
")
