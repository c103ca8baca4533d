#include "libs/http/chunk_reader.hpp"

#include <algorithm>
#include <optional>

namespace holdfast::http {
namespace {

// At most 15 digits, so that it cannot overflow.
std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (text.empty() || text.size() > 15) return std::nullopt;
  std::uint64_t out = 0;
  for (char c : text) {
    const int value = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (value < 0) return std::nullopt;
    out = out * 16 + static_cast<std::uint64_t>(value);
  }
  return out;
}

}  // namespace

Result<std::size_t> ChunkReader::feed(View bytes, const BodyFn& body) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::done) {
    const View rest = bytes.subspan(taken);
    if (state_ != State::data) {
      taken += TRY(take_line(rest));
      continue;
    }
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
    TRY(body(rest.first(size)));
    taken += size;
    left_ -= size;
    if (left_ == 0) state_ = State::end_of_data;
  }
  return taken;
}

// Up to and with the next line feed; a whole line is read at once.
Result<std::size_t> ChunkReader::take_line(View bytes) {
  const std::string_view text = text_of(bytes);
  const std::size_t end = text.find('\n');
  const bool whole = end != std::string_view::npos;
  const std::size_t size = whole ? end + 1 : text.size();
  if (line_.size() + size > kLineMax) {
    return fail(Code::header_too_large, "A line of the chunked body is too long.");
  }
  line_ += text.substr(0, size);
  if (whole) {
    std::string_view content = line_;
    content.remove_suffix(1);
    if (!content.ends_with('\r'))
      return fail(malformed_, "A line of the chunked body lacks its CR.");
    content.remove_suffix(1);
    TRY(line(content));
    line_.clear();
  }
  return size;
}

Status ChunkReader::line(std::string_view text) {
  switch (state_) {
    case State::end_of_data:
      if (!text.empty()) return fail(malformed_, "A chunk is longer than it says.");
      state_ = State::size;
      return {};
    case State::trailer:
      trailer_ += text.size() + 2;
      if (trailer_ > kTrailerMax) return fail(Code::header_too_large, "The trailer is too long.");
      if (text.empty()) state_ = State::done;
      return {};
    default:
      break;
  }
  // The extension is left out, and with it the space that some put before it.
  std::string_view digits = text.substr(0, text.find(';'));
  while (digits.ends_with(' ') || digits.ends_with('\t')) digits.remove_suffix(1);
  const auto size = hexadecimal(digits);
  if (!size) return fail(malformed_, "A chunk has no size.");
  left_ = *size;
  state_ = left_ == 0 ? State::trailer : State::data;
  return {};
}

}  // namespace holdfast::http
