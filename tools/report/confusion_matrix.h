// Which classes are taken for which.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace noisymix::report {

struct ConfusionMatrix {
  std::string title;
  std::optional<std::size_t> run;
  std::vector<std::string> classes;
  std::vector<std::int64_t> counts;  ///< [true class, predicted class]
};

inline constexpr std::size_t kLargestMatrix = 20;  ///< classes; beyond, the largest confusions are listed

/// A <figure>; empty when the counts do not fit the classes or are all 0.
std::string draw(const ConfusionMatrix& matrix);

}  // namespace noisymix::report
