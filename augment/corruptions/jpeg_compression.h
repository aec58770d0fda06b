// Corruption "jpeg_compression": the pixels of a JPEG file.
#pragma once

#include <memory>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Quality of the file, by parameter set.
inline constexpr BySeverity<int> kJpegQuality[] = {
    {80, 65, 58, 50, 40},
    {65, 58, 50, 40, 25},
    {25, 18, 15, 10, 7},
};

/// The pure function is jpeg_round_trip(); nothing is drawn, nothing truncated.
std::unique_ptr<Corruption> make_jpeg_compression(ParameterSet set, int severity);

}  // namespace noisymix
