#include "tools/sweep/child_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "engine/error.h"

namespace noisymix {
namespace {

/// The child's part between fork and exec: other threads are gone, so only plain system calls are allowed.
[[noreturn]] void become(char* const* words, int log, int nothing, ::pid_t parent) {
  ::setpgid(0, 0);
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
  if (::getppid() != parent) ::_exit(127);  // it ended in between
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvp(words[0], words);
  constexpr char kMessage[] = "noisymix: cannot start ";
  for (const char* text : {kMessage, static_cast<const char*>(words[0]), "\n"}) {
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) break;
  }
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& words, const std::filesystem::path& log) {
  std::vector<std::string> copies = words;
  std::vector<char*> pointers;
  for (std::string& word : copies) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  NM_CHECK_AS(DataError, file >= 0, log.string(),
              ": cannot open this file: ", std::system_category().message(errno));
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const ::pid_t parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0) become(pointers.data(), file, nothing, parent);
  const int error = errno;
  ::close(file);
  if (nothing >= 0) ::close(nothing);
  NM_CHECK_AS(DataError, id_ > 0, "cannot start another process: ", std::system_category().message(error));
}

ChildProcess::~ChildProcess() {
  if (code_) return;
  ::kill(id_, SIGTERM);
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::stop() {
  if (!code_ && !asked_) ::kill(id_, SIGTERM);
  asked_ = true;
}

void ChildProcess::keep(int status) {
  if (WIFEXITED(status)) code_ = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) code_ = 128 + WTERMSIG(status);
}

std::optional<int> ChildProcess::poll() {
  if (code_) return code_;
  int status = 0;
  const ::pid_t ended = ::waitpid(id_, &status, WNOHANG);
  if (ended == id_) keep(status);
  if (ended < 0 && errno != EINTR) code_ = 127;  // somebody else waited for it
  return code_;
}

}  // namespace noisymix
