// Bytes as text of A-Z, a-z, 0-9, + and / (RFC 4648), for binary columns inside JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace noisymix {

/// Four characters for three bytes, the end padded with '='.
std::string encode_base64(std::span<const std::uint8_t> bytes);

/// The bytes, or nothing unless the text is exactly what encode_base64() writes for some bytes: no white
/// space, full padding, unused bits zero.
std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

}  // namespace noisymix
