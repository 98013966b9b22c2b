# The standard's headers are two thirds of what the compiler reads. Where no compiler cache remembers whole objects, each
# large target has them parsed once: that takes a quarter off the build. Our own headers are not among them, so that one
# that changes rebuilds those who include it and no others.
if(RUNBOOKD_CCACHE)
  set(precompiled_is_useful OFF)
else()
  set(precompiled_is_useful ON)
endif()
option(RUNBOOKD_PRECOMPILED "Parse the standard's headers once for each large target" ${precompiled_is_useful})

set(standard_headers
  <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <iterator> <map> <memory> <optional> <ranges> <set>
  <span> <sstream> <string> <string_view> <utility> <variant> <vector>)

# Each has twenty objects or more.
foreach(folder planner web web/ctl daemon)
  if(RUNBOOKD_PRECOMPILED AND IS_DIRECTORY ${CMAKE_SOURCE_DIR}/${folder})
    get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
      get_target_property(sources ${target} SOURCES)
      list(LENGTH sources count)
      if(count GREATER 19)
        set(headers ${standard_headers})
        if(NOT folder STREQUAL "planner")
          list(APPEND headers <nlohmann/json.hpp>)
        endif()
        target_precompile_headers(${target} PRIVATE ${headers})
        # g++ 12 then takes the standard's headers for ours and is wrong about std::string in them: what it warns of
        # stops a build only where nothing is precompiled
        target_compile_options(${target} PRIVATE
          $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
          $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>)
      endif()
    endforeach()
  endif()
endforeach()
