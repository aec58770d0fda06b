// The program run in this process, with what it printed.
#pragma once

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tools/cli.h"

namespace noisymix::testing {

struct Outcome {
  int code = 0;
  std::string out, err;
};

/// `noisymix words...`
inline Outcome run_program(std::vector<std::string> words) {
  words.insert(words.begin(), "noisymix");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::ostringstream out, err;
  std::streambuf* const old_out = std::cout.rdbuf(out.rdbuf());
  std::streambuf* const old_err = std::cerr.rdbuf(err.rdbuf());
  Outcome outcome;
  outcome.code = run_command_line(static_cast<int>(argv.size()), argv.data());
  std::cout.rdbuf(old_out);
  std::cerr.rdbuf(old_err);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

}  // namespace noisymix::testing
