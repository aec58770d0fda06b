#include "tools/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <system_error>

#include "engine/error.h"

namespace noisymix {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli's, bits reversed
constexpr std::uint32_t kMask = 0xA282EAD8;
constexpr int kMostFilesASecond = 1000;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    table[byte] = remainder;
  }
  return table;
}

// --- protocol buffers: a field is a key, number and wire type, followed by its value ---

enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 255));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<char>((value & 127) | 128));
  out.push_back(static_cast<char>(value));
}

void put_key(std::string& out, std::uint64_t field, WireType type) {
  put_varint(out, field << 3 | type);
}

void put_bytes(std::string& out, std::uint64_t field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// Field numbers of the messages Event, Summary, Summary.Value and SessionLog.
constexpr std::uint64_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr std::uint64_t kSummaryValue = 1, kTag = 1, kSimpleValue = 2, kStatus = 1;
constexpr std::uint64_t kSessionStart = 1;

std::uint32_t masked_checksum(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + kMask;
}

/// Length and data, each followed by its checksum.
std::string framed(std::string_view data) {
  std::string record;
  put_little_endian(record, data.size(), 8);
  put_little_endian(record, masked_checksum(record), 4);
  record += data;
  put_little_endian(record, masked_checksum(data), 4);
  return record;
}

double system_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail_with(const std::filesystem::path& path, const char* action, int error) {
  fail<DataError>(path.string(), ": cannot ", action, " this file: ", std::system_category().message(error));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_table();
  std::uint32_t state = ~std::uint32_t{0};
  for (const char c : bytes) state = state >> 8 ^ kTable[(state ^ static_cast<std::uint8_t>(c)) & 255];
  return ~state;
}

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t first_step, Clock clock)
    : clock_(clock ? std::move(clock) : system_seconds) {
  const auto seconds = static_cast<long long>(std::floor(clock_()));
  for (int number = 0; descriptor_ < 0 && number < kMostFilesASecond; ++number) {
    char name[64];
    std::snprintf(name, sizeof name, "events.out.tfevents.%010lld.%03d", seconds, number);
    path_ = folder / name;
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) fail_with(path_, "make", errno);
  }
  if (descriptor_ < 0) fail_with(path_, "make", EEXIST);
  std::string version, status, session;
  put_bytes(version, kFileVersion, "brain.Event:2");
  put_key(status, kStatus, kVarint);
  put_varint(status, kSessionStart);
  put_bytes(session, kSessionLog, status);
  try {
    write_event(0, version);
    write_event(first_step, session);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

EventFile::~EventFile() {
  ::close(descriptor_);
}

void EventFile::add(std::int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    put_bytes(value, kTag, scalar.tag);
    put_key(value, kSimpleValue, kFixed32);
    put_little_endian(value, std::bit_cast<std::uint32_t>(static_cast<float>(scalar.value)), 4);
    put_bytes(summary, kSummaryValue, value);
  }
  std::string content;
  put_bytes(content, kSummary, summary);
  write_event(step, content);
}

void EventFile::write_event(std::int64_t step, std::string_view content) {
  std::string event;
  put_key(event, kWallTime, kFixed64);
  put_little_endian(event, std::bit_cast<std::uint64_t>(clock_()), 8);
  put_key(event, kStep, kVarint);
  put_varint(event, static_cast<std::uint64_t>(step));
  event += content;
  const std::string record = framed(event);
  std::size_t done = 0;
  while (done < record.size()) {
    const ::ssize_t count = ::write(descriptor_, record.data() + done, record.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_with(path_, "write", errno);
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace noisymix
