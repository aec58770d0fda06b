// The IDX format of MNIST and its relatives, plain or gzipped.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/file_bytes.h"
#include "engine/tensor.h"

namespace noisymix {

/// Whether the bytes begin like an IDX file: two zeros, a known element type, one to four axes.
bool is_idx(ByteView bytes);

/// Reads one array. u8 stays, i8 and i16 widen to i32; i32, f32 and f64 are swapped from the file's
/// big-endian order. Throws DataError for a wrong magic number and for a size that is not exactly what the
/// header says.
Tensor read_idx(const std::filesystem::path& path);

/// The same from bytes in memory (not gzipped); `name` stands for the file in messages.
Tensor parse_idx(const std::string& name, ByteView bytes);

/// Opens MNIST, Fashion-MNIST, KMNIST or EMNIST: `folder` holds
/// {train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz].
std::shared_ptr<const Dataset> open_mnist(const std::filesystem::path& folder, bool train);

}  // namespace noisymix
