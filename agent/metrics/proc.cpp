#include "agent/metrics/proc.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace holdfast::agent {
namespace {

constexpr std::uint64_t kSectorBytes = 512;  // of diskstats, whatever the drive's own is
constexpr double kCelsiusMin = -100, kCelsiusMax = 250;

// Whole text or nothing; a number that does not fit is nothing either.
std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> fraction(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

template <std::size_t N>
std::optional<std::array<std::uint64_t, N>> numbers(const std::vector<std::string_view>& words,
                                                    std::size_t from) {
  std::array<std::uint64_t, N> out{};
  if (words.size() < from + N) return std::nullopt;
  for (std::size_t i = 0; i < N; ++i) {
    const auto value = whole(words[from + i]);
    if (!value) return std::nullopt;
    out[i] = *value;
  }
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Partitions (sda1, nvme0n1p2, mmcblk0p1) count within their drives; loops, RAM disks and the like
// are no drives.
bool is_drive(std::string_view name) {
  for (const std::string_view other : {"loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd"}) {
    if (name.starts_with(other)) return false;
  }
  if (name.starts_with("nvme") || name.starts_with("mmcblk")) {
    const auto at = name.rfind('p');
    return at == std::string_view::npos || !all_digits(name.substr(at + 1)) ||
           name.find("boot") != std::string_view::npos;
  }
  return name.back() < '0' || name.back() > '9';
}

constexpr std::array<std::string_view, 12> kStorageTypes = {"ext2",  "ext3", "ext4",    "xfs",
                                                            "btrfs", "vfat", "f2fs",    "ubifs",
                                                            "jffs2", "zfs",  "overlay", "bcachefs"};

// proc(5): blanks, tabs, line ends and backslashes are written as three octal digits.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7';
    };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out += static_cast<char>(value);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<Mount> mount_of(const std::vector<std::string_view>& words) {
  const auto dash = std::ranges::find(words, "-");
  if (words.size() < 7 || dash == words.end() || dash - words.begin() < 6) return std::nullopt;
  const auto type = dash + 1;
  if (type == words.end() || std::ranges::find(kStorageTypes, *type) == kStorageTypes.end()) {
    return std::nullopt;
  }
  return Mount{std::string(words[2]), unescaped(words[4]), std::string(*type)};
}

}  // namespace

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  std::vector<std::string_view> out;
  for (auto at = line.find_first_not_of(kBlank); at != std::string_view::npos;
       at = line.find_first_not_of(kBlank, at)) {
    const auto end = std::min(line.find_first_of(kBlank, at), line.size());
    out.push_back(line.substr(at, end - at));
    at = end;
  }
  return out;
}

std::optional<CpuTimes> parse_stat(std::string_view text) {
  while (!text.empty()) {
    const auto words = words_of(take_line(text));
    if (words.empty() || words[0] != "cpu") continue;
    // The last of these came with Linux 2.6.11; guests are part of user.
    const auto n = numbers<8>(words, 1);
    if (!n) return std::nullopt;
    const auto& v = *n;
    return CpuTimes{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
  }
  return std::nullopt;
}

std::optional<LoadAverage> parse_loadavg(std::string_view text) {
  const auto words = words_of(take_line(text));
  if (words.size() < 3) return std::nullopt;
  const auto one = fraction(words[0]), five = fraction(words[1]), fifteen = fraction(words[2]);
  if (!one || !five || !fifteen) return std::nullopt;
  return LoadAverage{*one, *five, *fifteen};
}

std::optional<MemoryUse> parse_meminfo(std::string_view text) {
  std::optional<std::uint64_t> total, available, free, buffers, cached;
  MemoryUse out;
  while (!text.empty()) {
    const auto words = words_of(take_line(text));
    if (words.size() < 2) continue;
    const auto kib = whole(words[1]);
    if (!kib || *kib > UINT64_MAX / 1024) continue;
    const std::uint64_t bytes = *kib * 1024;
    if (words[0] == "MemTotal:") total = bytes;
    if (words[0] == "MemAvailable:") available = bytes;
    if (words[0] == "MemFree:") free = bytes;
    if (words[0] == "Buffers:") buffers = bytes;
    if (words[0] == "Cached:") cached = bytes;
    if (words[0] == "SwapTotal:") out.swap_total = bytes;
    if (words[0] == "SwapFree:") out.swap_free = bytes;
  }
  // Before Linux 3.14 there is no MemAvailable: what the cache holds is the nearest to it.
  if (!available && free) available = *free + buffers.value_or(0) + cached.value_or(0);
  if (!total || !available || *total == 0) return std::nullopt;
  out.total = *total;
  out.available = std::min(*available, *total);
  out.swap_free = std::min(out.swap_free, out.swap_total);
  return out;
}

std::vector<DriveCounters> parse_diskstats(std::string_view text) {
  std::vector<DriveCounters> out;
  while (!text.empty() && out.size() < kDrivesMax) {
    const auto words = words_of(take_line(text));
    const auto n = numbers<10>(words, 3);
    if (!n || !is_drive(words[2])) continue;
    out.push_back({std::string(words[2]), (*n)[2] * kSectorBytes, (*n)[6] * kSectorBytes, (*n)[9]});
  }
  return out;
}

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> out;
  while (!text.empty()) {
    auto mount = mount_of(words_of(take_line(text)));
    if (!mount) continue;
    const auto same = std::ranges::find(out, mount->device, &Mount::device);
    if (same == out.end()) {
      if (out.size() < kMountsMax) out.push_back(*std::move(mount));
    } else if (mount->path.size() < same->path.size()) {
      *same = *std::move(mount);  // bind mounts: the shortest is where people look for it
    }
  }
  std::ranges::sort(out, {}, [](const Mount& m) { return std::pair(m.path.size(), m.path); });
  return out;
}

std::vector<InterfaceCounters> parse_net_dev(std::string_view text) {
  std::vector<InterfaceCounters> out;
  while (!text.empty() && out.size() < kInterfacesMax) {
    const std::string_view line = take_line(text);
    const auto colon = line.find(':');  // the first number may touch it
    if (colon == std::string_view::npos) continue;
    const auto name = words_of(line.substr(0, colon));
    const auto n = numbers<12>(words_of(line.substr(colon + 1)), 0);
    if (name.size() != 1 || name[0] == "lo" || !n) continue;
    const auto& v = *n;
    out.push_back({std::string(name[0]), v[0], v[1], v[2], v[3], v[8], v[9], v[10], v[11]});
  }
  return out;
}

std::optional<double> parse_uptime(std::string_view text) {
  const auto words = words_of(take_line(text));
  if (words.empty()) return std::nullopt;
  const auto up = fraction(words[0]);
  return up && *up >= 0 ? up : std::nullopt;
}

std::optional<double> parse_millidegrees(std::string_view text) {
  const auto words = words_of(take_line(text));
  if (words.size() != 1) return std::nullopt;
  const auto value = fraction(words[0]);
  if (!value || *value / 1000 < kCelsiusMin || *value / 1000 > kCelsiusMax) return std::nullopt;
  return *value / 1000;
}

}  // namespace holdfast::agent
