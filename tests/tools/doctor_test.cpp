#include "tools/doctor.h"

#include <doctest/doctest.h>

#include "engine/backend.h"

using namespace noisymix;

TEST_CASE("doctor: one line for everything that matters, and what auto means") {
  const DoctorReport report = examine_machine();
  CAPTURE(report.text);
  for (const char* line : {"noisymix ", "processor ", "CUDA ", "--device auto means "})
    CHECK(report.text.find(line) != std::string::npos);
  CHECK(report.text.find("means " + parse_device("auto").str()) != std::string::npos);
  CHECK(report.gpu_usable == (available_devices().size() > 1));
  if (report.gpu_usable) CHECK(report.text.find("cuda:0") != std::string::npos);
}
