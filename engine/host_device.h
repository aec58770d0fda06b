// Marks functions that kernels on both sides call: plain on the CPU, compiled twice by the CUDA compiler.
#pragma once

#ifdef __CUDACC__
#define NM_HOST_DEVICE __host__ __device__
#else
#define NM_HOST_DEVICE
#endif
