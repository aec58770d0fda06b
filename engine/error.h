// Typed errors and the checks that throw them. The library never prints, exits or aborts.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace noisymix {

/// Base of everything the library throws on purpose. what() is one line: "[op] what, where, what was expected".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A tensor has the wrong shape or dtype, or an argument of an op is out of range.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A configuration file or command line is wrong. Several mistakes are joined by newlines.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A file from outside (images, data sets, checkpoints) is missing, truncated or malformed.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A device is absent, out of memory, or has no kernel for an op.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// A device has not enough memory for what was asked.
class OutOfMemoryError : public DeviceError {
 public:
  using DeviceError::DeviceError;
};

/// Broken invariant inside the library: a bug of ours, never the caller's.
class InternalError : public Error {
 public:
  using Error::Error;
};

namespace detail {

template <typename... Parts>
std::string concat_message(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace detail

/// Throws E with all parts streamed into one message.
template <typename E, typename... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw E(detail::concat_message(parts...));
}

}  // namespace noisymix

/// Check of a caller's input at a public door: NM_CHECK(cond, "[conv2d] weight expects ", c, " channels").
#define NM_CHECK(condition, ...)                                          \
  do {                                                                    \
    if (!(condition)) ::noisymix::fail<::noisymix::ShapeError>(__VA_ARGS__); \
  } while (false)

/// The same with the kind of error named first: NM_CHECK_AS(DataError, cond, path, ": truncated").
#define NM_CHECK_AS(Kind, condition, ...)                        \
  do {                                                           \
    if (!(condition)) ::noisymix::fail<::noisymix::Kind>(__VA_ARGS__); \
  } while (false)

/// Check of our own reasoning; failing is a bug in noisymix.
#define NM_ASSERT(condition)                                                                               \
  do {                                                                                                     \
    if (!(condition))                                                                                      \
      ::noisymix::fail<::noisymix::InternalError>("internal error, please report: ", #condition, " is false at ", \
                                                  __FILE__, ":", __LINE__);                                \
  } while (false)
