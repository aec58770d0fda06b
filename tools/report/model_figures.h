// The figures of a report that need the trained model itself.
#pragma once

#include <filesystem>

#include "engine/device.h"
#include "tools/report/harmed_images.h"
#include "tools/report/report.h"

namespace noisymix::report {

/// Makes corruptions with the constants of one set of parameters, by its name.
using CorruptionSource = std::function<CorruptionMaker(const std::string& parameter_set)>;

/// Loads the run's model and adds its decision boundary, for points in the plane, or harmed images of its
/// test split, where corruptions of it have been evaluated; an empty `corruptions` leaves those out. Throws
/// DataError when weights or data are missing.
void add_model_figures(ReportRun& report, const std::filesystem::path& path, Device device,
                       const CorruptionSource& corruptions);

}  // namespace noisymix::report
