# Compiler and linker flags, for every target alike: one precompiled header can serve all
# of them only while the flags are equal, so nothing is set per target elsewhere.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Debug CACHE STRING "" FORCE)
endif()
# Assertions stay in release builds: they state bugs, and input never trips them.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
# What g++ 12 guesses from optimised code is wrong too often: uninitialised members in moved
# std::variants, overlaps and overflows inside std::string (gcc PR 105562, 105651, 105329). The
# sanitizer builds look for the real ones.
set(CMAKE_CXX_FLAGS_RELEASE
  "-O2 -g1 -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_EXE_LINKER_FLAGS_SANITIZE "")

# ccache hands the compiler paths relative to the build folder: both forms name one file.
file(RELATIVE_PATH holdfast_up "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}")

add_library(holdfast_flags INTERFACE)
target_include_directories(holdfast_flags INTERFACE "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
target_compile_options(holdfast_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  -fPIE -fno-strict-overflow -fstack-protector-strong
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=" "-ffile-prefix-map=${holdfast_up}=")
target_compile_definitions(holdfast_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(holdfast_flags INTERFACE -pie)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(holdfast_flags INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(holdfast_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # g++ leaves sign conversions out of -Wconversion; both compilers ask for the same.
  target_compile_options(holdfast_flags INTERFACE
    -Wno-sign-conversion "SHELL:-Xclang -fno-pch-timestamp")
  # Said without -Xclang, ccache understands the paths and can share them between clones.
  set(CMAKE_CXX_COMPILE_OPTIONS_CREATE_PCH -Xclang -emit-pch -include <PCH_HEADER> -x c++-header)
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
else()
  # ccache needs the header's name in the preprocessed text to know which one was used.
  target_compile_options(holdfast_flags INTERFACE -fpch-preprocess)
endif()

if(HOLDFAST_SANITIZE)
  target_compile_options(holdfast_flags INTERFACE
    "-fsanitize=${HOLDFAST_SANITIZE}" -fno-sanitize-recover=all)
  target_link_options(holdfast_flags INTERFACE "-fsanitize=${HOLDFAST_SANITIZE}")
endif()
if(HOLDFAST_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "HOLDFAST_FUZZ needs clang: cmake --preset asan")
  endif()
  target_compile_options(holdfast_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(HOLDFAST_LLD NAMES ld.lld-19 ld.lld)
if(HOLDFAST_LLD)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_link_options(holdfast_flags INTERFACE "--ld-path=${HOLDFAST_LLD}")
  else()
    # g++ 12 looks for a program named ld.lld and takes no path: give it a folder with one.
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/lld")
    file(CREATE_LINK "${HOLDFAST_LLD}" "${CMAKE_BINARY_DIR}/lld/ld.lld" SYMBOLIC)
    target_link_options(holdfast_flags INTERFACE "-B${CMAKE_BINARY_DIR}/lld" -fuse-ld=lld)
  endif()
endif()

find_program(HOLDFAST_CCACHE_PROGRAM ccache)
if(HOLDFAST_CCACHE AND HOLDFAST_CCACHE_PROGRAM)
  # Paths below the source folder become relative, so that all clones share one cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    "CCACHE_SLOPPINESS=pch_defines,time_macros" "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}"
    "CCACHE_NOHASHDIR=1" "${HOLDFAST_CCACHE_PROGRAM}")
endif()
