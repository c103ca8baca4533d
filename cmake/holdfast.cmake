# Libraries and programs by convention; a folder's CMakeLists.txt is one call.
#   holdfast_library(NAME [DEPS ...] [PRIVATE_DEPS ...] [TEST_DEPS ...] [EXTRA_SOURCES ...])
#   holdfast_program(NAME [DEPS ...] [PRIVATE_DEPS ...] [TEST_DEPS ...] [EXTRA_SOURCES ...])
# Told by path: *_test.cpp is a test, fuzz/*.cpp a fuzz target, bench/ is built elsewhere, a
# subfolder with its own CMakeLists.txt is a library of its own. A name in DEPS is a folder
# of ours (base), a system library of cmake/packages.cmake (zstd), or any CMake target.
set(HOLDFAST_UNITY_BATCH 12)

# Everything that tests and fuzz targets need, and nothing else.
add_custom_target(holdfast_tests)
# The programs, and nothing else: what ./run builds.
add_custom_target(holdfast_programs)

# ---- precompiled headers: one for sources, one for tests

file(WRITE "${CMAKE_BINARY_DIR}/pch/empty.cpp.new" "")
file(COPY_FILE "${CMAKE_BINARY_DIR}/pch/empty.cpp.new" "${CMAKE_BINARY_DIR}/pch/empty.cpp"
  ONLY_IF_DIFFERENT)
set(holdfast_std_headers
  <algorithm> <array> <chrono> <cstdint> <cstring> <deque> <expected> <functional> <map>
  <memory> <mutex> <optional> <span> <string> <string_view> <unordered_map> <utility>
  <variant> <vector>)

function(holdfast_pch TARGET PACKAGES)
  add_library(${TARGET} OBJECT "${CMAKE_BINARY_DIR}/pch/empty.cpp")
  target_link_libraries(${TARGET} PRIVATE holdfast_flags ${PACKAGES})
  target_precompile_headers(${TARGET} PRIVATE ${ARGN})
endfunction()
if(HOLDFAST_PCH)
  holdfast_pch(holdfast_pch "" ${holdfast_std_headers})
  holdfast_pch(holdfast_test_pch GTest::gmock ${holdfast_std_headers} <gmock/gmock.h> <gtest/gtest.h>)
endif()

# ---- helpers

# Names in DEPS to targets. Folders are looked up on disk: theirs may be added later.
function(holdfast_resolve OUT)
  set(result)
  foreach(dep IN LISTS ARGN)
    if(dep MATCHES "::")
      list(APPEND result ${dep})
    elseif(EXISTS "${CMAKE_SOURCE_DIR}/libs/${dep}/CMakeLists.txt"
        OR EXISTS "${CMAKE_SOURCE_DIR}/server/${dep}/CMakeLists.txt"
        OR EXISTS "${CMAKE_SOURCE_DIR}/${dep}/CMakeLists.txt")
      list(APPEND result holdfast::${dep})
    elseif(TARGET ext::${dep})
      list(APPEND result ext::${dep})
    else()
      list(APPEND result ${dep})
    endif()
  endforeach()
  set(${OUT} ${result} PARENT_SCOPE)
endfunction()

# All *.cpp of this folder, split by kind into <PREFIX>_sources, _tests, _fuzz, _main.
function(holdfast_sources PREFIX)
  set(here "${CMAKE_CURRENT_SOURCE_DIR}")
  file(GLOB_RECURSE found CONFIGURE_DEPENDS RELATIVE "${here}" "${here}/*.cpp")
  file(GLOB_RECURSE rooms CONFIGURE_DEPENDS RELATIVE "${here}" "${here}/*/CMakeLists.txt")
  list(TRANSFORM rooms REPLACE "CMakeLists.txt$" "")
  foreach(kind sources tests fuzz main)
    set(${kind})
  endforeach()
  foreach(file IN LISTS found)
    set(skip FALSE)
    foreach(room IN LISTS rooms)
      string(FIND "${file}" "${room}" at)
      if(at EQUAL 0)
        set(skip TRUE)
      endif()
    endforeach()
    if(skip OR file MATCHES "(^|/)bench/")
      continue()
    elseif(file MATCHES "(^|/)fuzz/")
      list(APPEND fuzz "${here}/${file}")
    elseif(file MATCHES "_test\\.cpp$")
      list(APPEND tests "${here}/${file}")
    elseif(file STREQUAL "main.cpp")
      list(APPEND main "${here}/${file}")
    else()
      list(APPEND sources "${here}/${file}")
    endif()
  endforeach()
  foreach(kind sources tests fuzz main)
    set(${PREFIX}_${kind} ${${kind}} PARENT_SCOPE)
  endforeach()
endfunction()

function(holdfast_compile TARGET PCH)
  target_link_libraries(${TARGET} PRIVATE holdfast_flags)
  add_dependencies(${TARGET} holdfast_generated)
  if(HOLDFAST_PCH)
    target_precompile_headers(${TARGET} REUSE_FROM ${PCH})
  endif()
endfunction()

# The sources of a target as units of about BATCH files each (0: one unit). The units include
# their files by paths from the repository root, so that all clones share one ccache; CMake's
# own unity units name absolute paths. A source with SKIP_UNITY_BUILD_INCLUSION stays alone.
function(holdfast_units OUT TARGET BATCH)
  set(joined)
  set(result)
  foreach(file IN LISTS ARGN)
    get_filename_component(file "${file}" ABSOLUTE)
    get_source_file_property(alone "${file}" SKIP_UNITY_BUILD_INCLUSION)
    if(alone OR NOT HOLDFAST_UNITY)
      list(APPEND result "${file}")
    else()
      list(APPEND joined "${file}")
    endif()
  endforeach()
  list(LENGTH joined count)
  set(size ${count})
  if(BATCH GREATER 0 AND count GREATER BATCH)
    math(EXPR units "(${count} + ${BATCH} - 1) / ${BATCH}")
    math(EXPR size "(${count} + ${units} - 1) / ${units}")
  endif()
  set(unit 0)
  while(joined)
    list(SUBLIST joined 0 ${size} batch)
    list(REMOVE_ITEM joined ${batch})
    set(text "")
    foreach(file IN LISTS batch)
      file(RELATIVE_PATH path "${CMAKE_SOURCE_DIR}" "${file}")
      string(APPEND text "#include \"${path}\"\n")
    endforeach()
    set(path "${CMAKE_CURRENT_BINARY_DIR}/units/${TARGET}_${unit}.cpp")
    file(CONFIGURE OUTPUT "${path}" CONTENT "${text}" @ONLY)
    list(APPEND result "${path}")
    math(EXPR unit "${unit} + 1")
  endwhile()
  set(${OUT} ${result} PARENT_SCOPE)
endfunction()

function(holdfast_make_library TARGET DEPS PRIVATE_DEPS)
  if(ARGN)
    holdfast_units(units ${TARGET} ${HOLDFAST_UNITY_BATCH} ${ARGN})
    add_library(${TARGET} STATIC ${units})
    holdfast_compile(${TARGET} holdfast_pch)
    target_link_libraries(${TARGET} PUBLIC ${DEPS} PRIVATE ${PRIVATE_DEPS})
  else()
    add_library(${TARGET} INTERFACE)
    target_link_libraries(${TARGET} INTERFACE ${DEPS} ${PRIVATE_DEPS})
    add_dependencies(${TARGET} holdfast_generated)
  endif()
endfunction()

# One test executable a folder; ctest runs it as one entry and keeps gtest's XML.
function(holdfast_make_test TARGET LIBRARY DEPS)
  holdfast_units(units ${TARGET} 0 ${ARGN})
  add_executable(${TARGET} ${units})
  holdfast_compile(${TARGET} holdfast_test_pch)
  target_link_libraries(${TARGET} PRIVATE ${LIBRARY} ${DEPS} GTest::gmock GTest::gmock_main)
  set_target_properties(${TARGET} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME ${TARGET}
    COMMAND ${TARGET} "--gtest_output=xml:${CMAKE_BINARY_DIR}/results/${TARGET}.xml"
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${TARGET} PROPERTIES TIMEOUT 600 ENVIRONMENT
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")
  add_dependencies(holdfast_tests ${TARGET})
endfunction()

# One executable a fuzz source; tools/testrun reads the list to know corpus and dictionary.
function(holdfast_make_fuzz NAME LIBRARY DEPS)
  if(NOT HOLDFAST_FUZZ)
    return()
  endif()
  foreach(file IN LISTS ARGN)
    get_filename_component(stem "${file}" NAME_WE)
    get_filename_component(folder "${file}" DIRECTORY)
    set(target fuzz_${NAME}_${stem})
    add_executable(${target} "${file}")
    holdfast_compile(${target} holdfast_pch)
    target_link_libraries(${target} PRIVATE ${LIBRARY} ${DEPS})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${target} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
    add_dependencies(holdfast_tests ${target})
    set_property(GLOBAL APPEND_STRING PROPERTY holdfast_fuzz_list
      "${target}\t${folder}/corpus/${stem}\t${folder}/${stem}.dict\n")
  endforeach()
endfunction()

# ---- what folders call

function(holdfast_library NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS;PRIVATE_DEPS;TEST_DEPS;EXTRA_SOURCES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "holdfast_library(${NAME}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  holdfast_sources(own)
  holdfast_resolve(deps ${arg_DEPS})
  holdfast_resolve(private_deps ${arg_PRIVATE_DEPS})
  holdfast_resolve(test_deps ${arg_TEST_DEPS})
  holdfast_make_library(holdfast_${NAME} "${deps}" "${private_deps}"
    ${own_sources} ${arg_EXTRA_SOURCES})
  add_library(holdfast::${NAME} ALIAS holdfast_${NAME})
  if(own_tests)
    holdfast_make_test(${NAME}_test holdfast::${NAME} "${private_deps};${test_deps}" ${own_tests})
  endif()
  holdfast_make_fuzz(${NAME} holdfast::${NAME} "${private_deps};${test_deps}" ${own_fuzz})
endfunction()

# main.cpp is the program; all else is the library holdfast_NAME_lib, which tests link and
# which DEPS of others may name by its folder (agent, server).
function(holdfast_program NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS;PRIVATE_DEPS;TEST_DEPS;EXTRA_SOURCES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "holdfast_program(${NAME}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  holdfast_sources(own)
  holdfast_resolve(deps ${arg_DEPS})
  holdfast_resolve(private_deps ${arg_PRIVATE_DEPS})
  holdfast_resolve(test_deps ${arg_TEST_DEPS})
  set(library holdfast_${NAME}_lib)
  holdfast_make_library(${library} "${deps}" "${private_deps}" ${own_sources} ${arg_EXTRA_SOURCES})
  add_library(holdfast::${NAME}_lib ALIAS ${library})
  get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
  if(NOT folder STREQUAL "${NAME}_lib")
    add_library(holdfast::${folder} ALIAS ${library})
  endif()
  if(own_main)
    add_executable(${NAME} ${own_main})
    holdfast_compile(${NAME} holdfast_pch)
    target_link_libraries(${NAME} PRIVATE ${library} ${private_deps})
    add_dependencies(holdfast_programs ${NAME})
    set_target_properties(${NAME} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${HOLDFAST_BIN_DIR}")
  endif()
  if(own_tests)
    holdfast_make_test(${folder}_test ${library} "${private_deps};${test_deps}" ${own_tests})
  endif()
  holdfast_make_fuzz(${folder} ${library} "${private_deps};${test_deps}" ${own_fuzz})
endfunction()

# Adds each folder that has a CMakeLists.txt, once, in the order given; libs/* is all of libs.
function(holdfast_add_folders)
  set(done)
  foreach(pattern IN LISTS ARGN)
    file(GLOB found CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}"
      "${CMAKE_SOURCE_DIR}/${pattern}/CMakeLists.txt")
    list(SORT found)
    foreach(file IN LISTS found)
      get_filename_component(folder "${file}" DIRECTORY)
      if(NOT folder IN_LIST done)
        list(APPEND done "${folder}")
        # server/ is added after its own rooms, so binary folders are named apart.
        add_subdirectory("${CMAKE_SOURCE_DIR}/${folder}" "${CMAKE_BINARY_DIR}/obj/${folder}")
      endif()
    endforeach()
  endforeach()
  get_property(fuzz_list GLOBAL PROPERTY holdfast_fuzz_list)
  file(WRITE "${CMAKE_BINARY_DIR}/fuzz-targets.tsv" "${fuzz_list}")
endfunction()
