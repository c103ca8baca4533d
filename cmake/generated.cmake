# Headers made from the contract at build time: #include "generated/base/codes.hpp".
# Every library depends on holdfast_generated; a change in the contract rebuilds the users only.
# Debian's own Python: python3-yaml is installed for that one.
set(Python3_EXECUTABLE /usr/bin/python3)
# Debian's own interpreter: the one that tools/packages gives python3-yaml to.
set(Python3_EXECUTABLE /usr/bin/python3)
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
add_custom_target(holdfast_generated)

function(holdfast_generate CONTRACT HEADER)
  set(source "${CMAKE_SOURCE_DIR}/contract/${CONTRACT}")
  set(output "${CMAKE_BINARY_DIR}/generated/${HEADER}")
  file(GLOB found CONFIGURE_DEPENDS "${source}")
  if(NOT found)
    message(WARNING "contract/${CONTRACT} is missing: generated/${HEADER} is not made")
    return()
  endif()
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_SOURCE_DIR}/tools/generate-codes" "${source}" "${output}"
    DEPENDS "${source}" "${CMAKE_SOURCE_DIR}/tools/generate-codes"
    COMMENT "contract/${CONTRACT} -> generated/${HEADER}"
    VERBATIM)
  string(MAKE_C_IDENTIFIER "holdfast_generated_${CONTRACT}" target)
  add_custom_target(${target} DEPENDS "${output}")
  add_dependencies(holdfast_generated ${target})
endfunction()

holdfast_generate(problems.yaml base/codes.hpp)
holdfast_generate(openapi.yaml api/operations.hpp)
holdfast_generate(notices.yaml core/notices.hpp)
