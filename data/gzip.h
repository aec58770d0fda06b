// Inflating: gzip files and the raw deflate streams inside zip archives.
#pragma once

#include <string>

#include "data/file_bytes.h"

namespace noisymix {

/// Whether the bytes begin like a gzip file.
bool is_gzip(ByteView bytes);

/// Content of a gzip file (all members). `name` stands for the file in messages. Throws DataError when it is
/// damaged, truncated, fails its CRC, or would exceed `limit` bytes: memory grows with what was really
/// decoded, never with a size that the file claims.
Bytes gunzip(const std::string& name, ByteView bytes, std::uint64_t limit = kLargestFile);

/// Content of a raw deflate stream of exactly `size` bytes.
Bytes inflate_raw(const std::string& name, ByteView bytes, std::uint64_t size);

/// CRC-32 as in gzip, zip and PNG.
std::uint32_t crc32_of(ByteView bytes);

/// Reads a file and gunzips it when it is one.
Bytes read_maybe_gzip(const std::filesystem::path& path);

}  // namespace noisymix
