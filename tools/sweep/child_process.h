// This program, started again with other words: in a process group of its own, its output in a log.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace noisymix {

/// Ends with its parent (where the system can see to that), and is not reached by the terminal's Ctrl-C: its
/// parent decides.
class ChildProcess {
 public:
  /// words[0] is the program. Output and errors are appended to `log`. Throws DataError when the log cannot
  /// be opened or no process can be made; a program that cannot be started exits with 127.
  ChildProcess(const std::vector<std::string>& words, const std::filesystem::path& log);
  /// Terminates it if it still runs, and waits.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Asks it once to come to an end (SIGTERM).
  void stop();
  /// Its exit code once it has ended, 128 + N after signal N.
  std::optional<int> poll();

 private:
  void keep(int status);
  ::pid_t id_ = -1;
  bool asked_ = false;
  std::optional<int> code_;
};

}  // namespace noisymix
