#include "libs/crypto/pem.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

// The next line without its end and trailing blanks; moves `text` past it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
    line.remove_suffix(1);
  }
  return line;
}

// The label of "-----BEGIN label-----", or nothing.
std::string_view label_of(std::string_view line, std::string_view start) {
  if (!line.starts_with(start) || !line.ends_with(kDashes)) return {};
  if (line.size() <= start.size() + kDashes.size()) return {};
  return line.substr(start.size(), line.size() - start.size() - kDashes.size());
}

}  // namespace

std::string to_base64_lines(View bytes, std::size_t columns) {
  const std::string flat = to_base64(bytes);
  std::string out;
  out.reserve(flat.size() + flat.size() / columns + 1);
  for (std::size_t at = 0; at < flat.size(); at += columns) {
    out += std::string_view(flat).substr(at, columns);
    out.push_back('\n');
  }
  return out;
}

std::string to_pem(std::string_view label, View der) {
  std::string out(kBegin);
  out += label;
  out += "-----\n";
  out += to_base64_lines(der, 64);
  out += kEnd;
  out += label;
  out += "-----\n";
  return out;
}

Result<std::vector<PemBlock>> parse_pem(std::string_view text) {
  std::vector<PemBlock> blocks;
  while (!text.empty()) {
    const std::string_view label = label_of(take_line(text), kBegin);
    if (label.empty()) continue;
    if (blocks.size() == kPemBlocksMax) {
      return fail(Code::invalid_argument,
                  "more than " + std::to_string(kPemBlocksMax) + " PEM blocks");
    }
    std::string base64;
    bool ended = false;
    while (!text.empty() && !ended) {
      const std::string_view line = take_line(text);
      ended = label_of(line, kEnd) == label;
      if (!ended) base64 += line;
    }
    if (!ended) {
      return fail(Code::invalid_argument, "the PEM block \"" + std::string(label.substr(0, 40)) +
                                              "\" has no end line; is the file whole?");
    }
    auto der = from_base64(base64);
    if (!der) {
      return fail(Code::invalid_argument,
                  "the PEM block \"" + std::string(label.substr(0, 40)) + "\" is not base64");
    }
    blocks.push_back({std::string(label), *std::move(der)});
  }
  return blocks;
}

Result<std::vector<Bytes>> parse_pem(std::string_view text, std::string_view label) {
  std::vector<Bytes> found;
  for (PemBlock& block : TRY(parse_pem(text))) {
    if (block.label == label) found.push_back(std::move(block.der));
  }
  if (found.empty()) {
    return fail(Code::invalid_argument, "no PEM block \"" + std::string(label) + "\" in it");
  }
  return found;
}

}  // namespace holdfast::crypto
