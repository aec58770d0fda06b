// CIFAR-10 and CIFAR-100 in their official binary layouts.
#pragma once

#include <filesystem>
#include <memory>

#include "data/dataset.h"
#include "data/memory_dataset.h"

namespace noisymix {

/// A record is the label bytes, then the red, green and blue planes of a 32x32 image. CIFAR-10 has one label
/// byte, CIFAR-100 a coarse one (0..19) and a fine one (0..99); the fine label is the class.
enum class CifarKind { cifar10, cifar100 };

constexpr std::size_t kCifarImageBytes = 32 * 32 * 3;
constexpr std::size_t cifar_record_bytes(CifarKind kind) {
  return kCifarImageBytes + (kind == CifarKind::cifar10 ? 1 : 2);
}
constexpr int cifar_classes(CifarKind kind) {
  return kind == CifarKind::cifar10 ? 10 : 100;
}

/// Class names without a names file: the ten of CIFAR-10; "class_0" to "class_99" for CIFAR-100.
std::vector<std::string> cifar_default_names(CifarKind kind);

/// Appends the records of one file to pixels (as HWC) and labels. Throws DataError for a size that is not a
/// whole number of records and for labels out of range, with the record's number.
void append_cifar_file(const std::filesystem::path& file, CifarKind kind, MemoryImages& content);

/// Opens a split. `folder` holds the .bin files or the official folder (cifar-10-batches-bin,
/// cifar-100-binary).
std::shared_ptr<const Dataset> open_cifar(const std::filesystem::path& folder, CifarKind kind, bool train);

}  // namespace noisymix
