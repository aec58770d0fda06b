// What `noisymix doctor` says of the libraries that a CUDA build looks for.
#include <cublasLt.h>

#include "engine/cuda/backend.h"
#include "engine/cuda/cudnn_graph.h"
#include "engine/cuda/library.h"

namespace noisymix::cuda {
namespace {

std::string dotted(std::size_t version, std::size_t major, std::size_t minor) {
  return std::to_string(version / major) + "." + std::to_string(version % major / minor) + "." +
         std::to_string(version % minor);
}

}  // namespace

std::vector<LibraryFacts> libraries() {
  LibraryFacts cudnn{"cuDNN", "", "", ""};
  if (const cudnn::Api* api = cudnn::api(&cudnn.missing)) {
    const std::size_t version = api->get_version();
    cudnn.version = version >= 90000 ? dotted(version, 10000, 100) : dotted(version, 1000, 100);
    cudnn.file = Library({"libcudnn.so.9"}).file();
  }
  LibraryFacts cublas{"cuBLASLt", "", "", ""};
  const Library library({"libcublasLt.so.13", "libcublasLt.so.12"});
  if (library.found()) {
    cublas.file = library.file();
    if (const auto version =
            reinterpret_cast<decltype(&cublasLtGetVersion)>(library.symbol("cublasLtGetVersion")))
      cublas.version = dotted(version(), 10000, 100);
  } else {
    cublas.missing = library.reason();
  }
  return {cudnn, cublas};
}

}  // namespace noisymix::cuda
