# The CUDA backend: off, compiled by nvcc, or emulated. Emulated kernels are ordinary C++ functions that run on the CPU, so
# that a machine without a GPU can test them; see engine/cuda/emulated/cuda_runtime.h.

if(NOISYMIX_CUDA STREQUAL "emulated")
  set(noisymix_cuda_emulated ON)
elseif(NOISYMIX_CUDA)
  # sm_75 Turing, 80 and 86 Ampere, 89 Ada, 90 Hopper; the last one also as PTX, which newer GPUs compile for themselves.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90 CACHE STRING "GPUs to compile for")
  endif()
  find_program(CCACHE_PROGRAM ccache)
  if(CCACHE_PROGRAM AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  endif()
  enable_language(CUDA)
  find_package(CUDAToolkit 12 REQUIRED)
  # Only their headers: both libraries are looked for when the program runs, so that it starts without them.
  find_path(CUDNN_INCLUDE_DIR cudnn_backend.h HINTS ${CUDAToolkit_INCLUDE_DIRS} PATH_SUFFIXES cudnn9 cudnn)
  find_path(CUBLASLT_INCLUDE_DIR cublasLt.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  if(NOT CUDNN_INCLUDE_DIR OR NOT CUBLASLT_INCLUDE_DIR)
    message(FATAL_ERROR "NOISYMIX_CUDA: cudnn_backend.h (cuDNN 9) and cublasLt.h are needed; install them, name their "
                        "folders with -DCUDNN_INCLUDE_DIR and -DCUBLASLT_INCLUDE_DIR, or configure with -DNOISYMIX_CUDA=OFF")
  endif()
endif()

# noisymix_cuda(): compile definitions and libraries of the backend for the engine.
function(noisymix_cuda)
  if(NOT NOISYMIX_CUDA)
    return()
  endif()
  target_compile_definitions(noisymix_engine PUBLIC NOISYMIX_CUDA)
  if(noisymix_cuda_emulated)
    target_compile_definitions(noisymix_engine PUBLIC NOISYMIX_CUDA_EMULATED)
    target_include_directories(noisymix_engine PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine/cuda/emulated>)
    target_sources(noisymix_engine PRIVATE cuda/emulated/block.cpp cuda/emulated/runtime.cpp cuda/emulated/no_libraries.cpp)
  else()
    target_include_directories(noisymix_engine SYSTEM PRIVATE ${CUDNN_INCLUDE_DIR} ${CUBLASLT_INCLUDE_DIR})
    target_sources(noisymix_engine PRIVATE cuda/cublaslt.cpp cuda/cudnn_conv.cpp cuda/cudnn_graph.cpp cuda/libraries.cpp
                                           cuda/library.cpp)
    target_link_libraries(noisymix_engine PUBLIC CUDA::cudart_static)
  endif()
endfunction()

# noisymix_cuda_sources(COMPONENT FILE...): CUDA sources of a component; nothing without the backend.
function(noisymix_cuda_sources component)
  if(NOT NOISYMIX_CUDA)
    return()
  endif()
  target_sources(noisymix_${component} PRIVATE ${ARGN})
  get_target_property(prepared noisymix_${component} NOISYMIX_CUDA_PREPARED)
  if(noisymix_cuda_emulated)
    set_source_files_properties(${ARGN} TARGET_DIRECTORY noisymix_${component} PROPERTIES
      LANGUAGE CXX COMPILE_OPTIONS "-xc++;-Wno-unknown-pragmas;-Wno-unused-parameter")
  elseif(NOT prepared)
    set_target_properties(noisymix_${component} PROPERTIES NOISYMIX_CUDA_PREPARED ON)
    # Written out, because CMake before 3.26 does not know nvcc's option for C++20.
    target_compile_options(noisymix_${component} PRIVATE
      $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;--expt-relaxed-constexpr;-Xcompiler=-Wall;-diag-suppress=20012>)
  endif()
endfunction()
