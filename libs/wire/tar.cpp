#include "libs/wire/tar.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace holdfast::wire {
namespace {

constexpr std::uint64_t kOctalMax = 077777777777ULL;  // 8 GiB - 1

// Fields of a ustar header: offset and length.
struct Span {
  std::size_t at, size;
};
constexpr Span kName{0, 100}, kMode{100, 8}, kUser{108, 8}, kGroup{116, 8}, kSize{124, 12}, kTime{136, 12},
    kSum{148, 8}, kType{156, 1}, kMagic{257, 8};
constexpr std::string_view kUstar{"ustar\00000", 8};

void put(Bytes& block, Span field, std::string_view text) {
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(field.at));
}

std::string octal(std::uint64_t value, std::size_t width) {
  char out[32];
  std::snprintf(out, sizeof out, "%0*llo", static_cast<int>(width - 1), static_cast<unsigned long long>(value));
  return out;
}

unsigned checksum(View block) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    const bool in_sum = i >= kSum.at && i < kSum.at + kSum.size;
    sum += in_sum ? static_cast<unsigned>(' ') : block[i];
  }
  return sum;
}

Bytes block_of(std::string_view name, std::uint64_t size, WallTime modified, char type) {
  Bytes block(kTarBlock, 0);
  put(block, kName, name);
  put(block, kMode, "0000600");
  put(block, kUser, "0000000");
  put(block, kGroup, "0000000");
  put(block, kSize, octal(size, kSize.size));
  put(block, kTime, octal(static_cast<std::uint64_t>(std::max<std::int64_t>(0, modified.us / 1'000'000)), kTime.size));
  block[kType.at] = static_cast<std::uint8_t>(type);
  put(block, kMagic, kUstar);
  put(block, kSum, octal(checksum(block), 7) + '\0' + ' ');
  return block;
}

// "LENGTH key=value\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (rest + std::to_string(length).size() != length) length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

std::string_view field_text(View block, Span field) {
  const std::string_view text = text_of(block.subspan(field.at, field.size));
  return text.substr(0, text.find('\0'));
}

Result<std::uint64_t> number(View block, Span field) {
  std::string_view text = field_text(block, field);
  while (text.ends_with(' ')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc{} || end != text.data() + text.size()) return fail(Code::corrupt, "a tar header holds no number");
  return value;
}

}  // namespace

bool safe_tar_name(std::string_view name) {
  if (name.empty() || name.size() > kTarNameMax || name.front() == '/' || name.find('\0') != std::string_view::npos) {
    return false;
  }
  while (!name.empty()) {
    const auto slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
  return false;  // ends with a slash
}

Result<Bytes> tar_header(const TarMember& member) {
  if (!safe_tar_name(member.name)) return fail(Code::invalid_argument, "not a name for an archive: " + member.name);
  if (member.size <= kOctalMax) return block_of(member.name, member.size, member.modified, '0');
  const std::string record = pax_record("size", std::to_string(member.size));
  Bytes out = block_of("pax", record.size(), member.modified, 'x');
  append(out, view_of(record));
  out.resize(out.size() + tar_padding(record.size()), 0);
  append(out, block_of(member.name, 0, member.modified, '0'));
  return out;
}

std::size_t tar_padding(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

Bytes tar_end() { return Bytes(2 * kTarBlock, 0); }

Result<TarHeaders::Next> TarHeaders::next(View block) {
  if (block.size() != kTarBlock) return fail(Code::corrupt, "a tar header has 512 bytes");
  if (std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; })) return Next{};
  const auto sum = TRY(number(block, kSum));
  if (sum != checksum(block)) return fail(Code::corrupt, "a tar header is damaged");
  Next next;
  next.member.size = TRY(number(block, kSize));
  next.member.modified = WallTime{static_cast<std::int64_t>(std::min<std::uint64_t>(TRY(number(block, kTime)), kOctalMax)) * 1'000'000};
  const char type = static_cast<char>(block[kType.at]);
  if (type == 'x') {
    if (next.member.size > 64 * 1024) return fail(Code::corrupt, "a pax header is too large");
    next.kind = Kind::more;
    return next;
  }
  if (type != '0' && type != '\0') return fail(Code::corrupt, "the archive holds something that is no file");
  next.kind = Kind::file;
  next.member.name = field_text(block, kName);
  if (!safe_tar_name(next.member.name)) return fail(Code::corrupt, "the archive holds a name that leads outside");
  if (size_) next.member.size = *size_;
  size_.reset();
  return next;
}

Status TarHeaders::extend(View pax) {
  std::string_view rest = text_of(pax);
  while (!rest.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<std::size_t>(end - rest.data());
    if (error != std::errc{} || length <= digits + 1 || length > rest.size() || rest[length - 1] != '\n') {
      return fail(Code::corrupt, "a pax header cannot be read");
    }
    const std::string_view record = rest.substr(digits + 1, length - digits - 2);
    if (record.starts_with("size=")) {
      std::uint64_t size = 0;
      const std::string_view text = record.substr(5);
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), size);
      if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
        return fail(Code::corrupt, "a pax header holds no size");
      }
      size_ = size;
    }
    rest.remove_prefix(length);
  }
  return {};
}

}  // namespace holdfast::wire
