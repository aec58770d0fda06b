# Build rules shared by all folders: packages, compile options, and the functions that name a component, an op, a test.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_package(Threads REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(JPEG)
find_package(PNG)
find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
include(NoisymixCuda)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(noisymix_options INTERFACE)
target_compile_features(noisymix_options INTERFACE cxx_std_20)
# No contraction: the same source gives the same bits whichever instruction set the compiler may use.
target_compile_options(noisymix_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wno-psabi;-ffp-contract=off>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns wrongly of overlapping copies inside std::string's operator+ (its bug 105651).
  target_compile_options(noisymix_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(NOISYMIX_WERROR)
  target_compile_options(noisymix_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(NOISYMIX_NATIVE)
  target_compile_options(noisymix_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=native>)
endif()
if(NOISYMIX_SANITIZE)
  target_compile_options(noisymix_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${NOISYMIX_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>)
  target_link_options(noisymix_options INTERFACE -fsanitize=${NOISYMIX_SANITIZE})
endif()

# noisymix_component(NAME [DEPENDENCY...]): finishes target noisymix_NAME; its links are the arrows of the architecture.
function(noisymix_component name)
  set(target noisymix_${name})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(${target} PUBLIC $<BUILD_INTERFACE:noisymix_options>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  foreach(dependency ${ARGN})
    target_link_libraries(${target} PUBLIC noisymix_${dependency})
  endforeach()
  add_library(noisymix::${name} ALIAS ${target})
endfunction()

# noisymix_op(NAME): engine/ops/NAME.cpp, its CUDA twin where it has one and CUDA is on, and tests/engine/ops/NAME_test.cpp.
function(noisymix_op name)
  target_sources(noisymix_engine PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cpp)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cu)
    noisymix_cuda_sources(engine ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cu)
  endif()
  noisymix_test(engine ops/${name})
endfunction()

# noisymix_test(COMPONENT NAME...): tests/COMPONENT/NAME_test.cpp joins the program tests_COMPONENT and becomes one ctest
# entry. The list is collected here and built by tests/CMakeLists.txt.
function(noisymix_test component)
  set_property(GLOBAL APPEND PROPERTY NOISYMIX_TEST_COMPONENTS ${component})
  foreach(name ${ARGN})
    set_property(GLOBAL APPEND PROPERTY NOISYMIX_TESTS_${component} ${name})
  endforeach()
endfunction()
