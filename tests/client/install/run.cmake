# Installs the client into an empty folder, builds the project beside this file against it, and runs that.
# cmake -DBUILD=<build folder> -DWORK=<scratch folder> -DSANITIZE=<-fsanitize list> -P run.cmake
function(run expected_exit)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE exit OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT exit EQUAL expected_exit)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: exit ${exit}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(source "${CMAKE_CURRENT_LIST_DIR}")
file(REMOVE_RECURSE "${WORK}")
run(0 "${CMAKE_COMMAND}" --install "${BUILD}" --component client --prefix "${WORK}/prefix")

set(flags)
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
run(0 "${CMAKE_COMMAND}" -S "${source}" -B "${WORK}/build" "-DCMAKE_PREFIX_PATH=${WORK}/prefix"
    "-DCMAKE_CXX_FLAGS=${flags}")
run(0 "${CMAKE_COMMAND}" --build "${WORK}/build")

# Nobody listens on port 1: what matters is that the program links, starts and makes its calls.
run(1 "${WORK}/build/show_two" "127.0.0.1:1")
if(NOT output MATCHES "UNAVAILABLE")
  message(FATAL_ERROR "expected UNAVAILABLE, got: ${output}")
endif()

# The example in the header is this program.
file(READ "${source}/main.cc" program)
file(READ "${source}/../../../client/user_client.h" header)
string(REGEX MATCH "Task<absl::Status> ShowTwo.*co_return absl::OkStatus\\(\\);\n}" example "${program}")
string(REPLACE "\n" "\n//   " example "${example}")
string(FIND "${header}" "${example}" position)
if(position EQUAL -1)
  message(FATAL_ERROR "client/user_client.h shows another program than tests/client/install/main.cc:\n${example}")
endif()
