// Access to reference values: tests/fixtures first, then the folder named by NOISYMIX_GOLDEN.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/skipped.h"

namespace noisymix::testing {

/// Path of a golden file such as "ops/manifest.json", or nothing when it is in neither place.
inline std::optional<std::filesystem::path> golden_path(const std::string& relative) {
  const char* moved = std::getenv("NOISYMIX_FIXTURES");  // programs may run on another machine than they were built on
  const auto fixture = std::filesystem::path(moved != nullptr ? moved : NOISYMIX_FIXTURES) / relative;
  if (std::filesystem::exists(fixture)) return fixture;
  if (const char* root = std::getenv("NOISYMIX_GOLDEN")) {
    const auto outside = std::filesystem::path(root) / relative;
    if (std::filesystem::exists(outside)) return outside;
  }
  return std::nullopt;
}

/// Path of a fixture that every checkout has; missing is a failure.
inline std::filesystem::path fixture_path(const std::string& relative) {
  const auto path = golden_path(relative);
  REQUIRE_MESSAGE(path.has_value(), "missing fixture " << relative);
  return *path;
}

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), "cannot read " << path.string());
  return nlohmann::json::parse(in);
}

// The hash formula behind weights, inputs and noise without stored arrays.
inline std::uint32_t golden_mix(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= x >> 15;
  x *= 0x846CA68Bu;
  return x ^ (x >> 16);
}
inline std::uint32_t golden_hash32(std::uint32_t stream, std::uint32_t i) {
  return golden_mix(golden_mix(stream + 0x9E3779B9u) + i);
}
inline double golden_u01(std::uint32_t stream, std::uint32_t i) { return golden_hash32(stream, i) / 4294967296.0; }
inline double golden_u(std::uint32_t stream, std::uint32_t i) { return golden_hash32(stream, i) / 2147483648.0 - 1; }
inline double golden_n(std::uint32_t stream, std::uint32_t i) {
  return golden_u(stream, 3 * i) + golden_u(stream, 3 * i + 1) + golden_u(stream, 3 * i + 2);
}

}  // namespace noisymix::testing
