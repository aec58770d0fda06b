// Check that a damaged file is refused with one useful line.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "engine/error.h"

namespace noisymix::testing {

/// action() must throw a DataError of one line that contains both texts: usually the file's name and what is
/// wrong.
template <typename Action>
void expect_data_error(const std::string& first, const std::string& second, Action action) {
  try {
    action();
    FAIL_CHECK("expected an error with '" << first << "' and '" << second << "'");
  } catch (const DataError& error) {
    const std::string what = error.what();
    CAPTURE(what);
    CHECK(what.find(first) != std::string::npos);
    CHECK(what.find(second) != std::string::npos);
    CHECK(what.find('\n') == std::string::npos);
  }
}

}  // namespace noisymix::testing
