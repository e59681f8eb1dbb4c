# Compiler settings that every target of the tree shares.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "build type" FORCE)
endif()

set(SLUICE_SANITIZE "" CACHE STRING "empty, address (with undefined), thread or fuzzer")
option(SLUICE_BUILD_TESTS "build the tests" ON)
option(SLUICE_BUILD_FUZZERS "build libFuzzer targets (clang only)" OFF)
option(SLUICE_LTO "link-time optimisation" OFF)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-align -Woverloaded-virtual -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false dangling and uninitialised uses inside coroutine frames and std::variant.
  add_compile_options(-Wno-maybe-uninitialized -Wno-dangling-pointer)
endif()

# Paths in programs and in the compiler cache start at the root of the tree, wherever it stands.
add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

# mold links a sanitized test program some ten times faster than ld.
find_program(SLUICE_MOLD mold)
if(SLUICE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(SLUICE_SANITIZE STREQUAL "address")
  # Without vptr: that check opens a pipe to see whether memory can be read, and calls every object
  # broken where a test leaves the daemon without descriptors.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-sanitize=vptr)
  add_link_options(-fsanitize=address,undefined)
elseif(SLUICE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
elseif(SLUICE_SANITIZE STREQUAL "fuzzer")
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(NOT SLUICE_SANITIZE STREQUAL "")
  message(FATAL_ERROR "SLUICE_SANITIZE is '${SLUICE_SANITIZE}'; use address, thread or fuzzer")
endif()

if(SLUICE_LTO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SLUICE_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${SLUICE_CCACHE}")
endif()

find_package(Threads REQUIRED)
