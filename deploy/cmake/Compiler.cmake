# One interface library that carries how we compile; every target of ours links it.
add_library(runbookd_compile INTERFACE)
target_include_directories(runbookd_compile INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(runbookd_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  # g++ 12 warns about fields that a designated initializer leaves to their default, on purpose
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wuseless-cast>
  $<$<BOOL:${RUNBOOKD_WERROR}>:-Werror>
  # see Precompiled.cmake
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:$<TARGET_PROPERTY:PRECOMPILE_HEADERS>>>:-Wno-error>)
target_compile_definitions(runbookd_compile INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)

# Crash points (store/crash_point.h) and seeded bugs (planner/mutant.h).
add_library(runbookd_test_hooks INTERFACE)
if(RUNBOOKD_TEST_HOOKS)
  target_compile_definitions(runbookd_test_hooks INTERFACE RUNBOOKD_TEST_HOOKS)
endif()

if(RUNBOOKD_FUZZ)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_FLAGS -fsanitize=fuzzer)
  check_cxx_source_compiles(
    "extern \"C\" int LLVMFuzzerTestOneInput(unsigned char const*, unsigned long) { return 0; }"
    RUNBOOKD_HAS_LIBFUZZER)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT RUNBOOKD_HAS_LIBFUZZER)
    message(FATAL_ERROR "RUNBOOKD_FUZZ needs clang with libFuzzer, and ${CMAKE_CXX_COMPILER} has none. "
      "Get it: apt-get install clang-14 libclang-rt-14-dev (or deploy/install-packages.sh fuzz); "
      "then: cmake --preset fuzz")
  endif()
  # function: clang 14 cannot assemble what it makes of templates in several sections
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function
                      -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(RUNBOOKD_SANITIZE)
  add_compile_options(-fsanitize=${RUNBOOKD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RUNBOOKD_SANITIZE})
  # what the sanitizers put in between leads g++ 12 to take Asio's recycled coroutine frames for a mismatch, and the
  # standard library's own regex for uninitialized
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(RUNBOOKD_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan)  # Asio's fences
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  add_compile_options(-D_GLIBCXX_ASSERTIONS -D_FORTIFY_SOURCE=2 -fstack-protector-strong
                      -fstack-clash-protection -fcf-protection)
  add_link_options(-Wl,-z,relro -Wl,-z,now)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  include(CheckPIESupported)
  check_pie_supported()
endif()

find_program(RUNBOOKD_CCACHE ccache)
if(RUNBOOKD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RUNBOOKD_CCACHE})
endif()
find_program(RUNBOOKD_MOLD mold)
if(RUNBOOKD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
