#include "libs/tlog/note.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::tlog {

namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // em dash and space
constexpr std::string_view kTimeWord = "time ";
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kEd25519Bytes = 32;
constexpr std::uint8_t kEd25519Type = 0x01;

Error not_a_note(std::string_view why) {
  return Error{Code::malformed_body, "not a signed checkpoint: " + std::string(why), {}, {}, {}};
}

// The key is the last 32 bytes of its SubjectPublicKeyInfo (RFC 8410 section 4).
Bytes key_id_of(std::string_view origin, const crypto::PublicKey& key) {
  Bytes text = bytes_of(origin);
  text.push_back('\n');
  text.push_back(kEd25519Type);
  append(text, View(key.spki_der()).last(kEd25519Bytes));
  const crypto::Sha256 digest = crypto::sha256(text);
  return {digest.begin(), digest.begin() + kKeyIdBytes};
}

Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::unexpected(not_a_note("it ends early"));
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

bool origin_allowed(std::string_view origin) {
  return !origin.empty() &&
         std::ranges::all_of(origin, [](char c) { return c > 0x20 && c < 0x7f && c != '+'; });
}

Result<std::uint64_t> parse_size_line(std::string_view line) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size);
  const bool canonical = line == "0" || !line.starts_with('0');
  if (error != std::errc{} || end != line.data() + line.size() || !canonical) {
    return std::unexpected(not_a_note("its second line is no tree size"));
  }
  return size;
}

// base64 in its one canonical form.
Result<Bytes> strict_base64(std::string_view text) {
  auto bytes = from_base64(text);
  if (!bytes || to_base64(*bytes) != text)
    return std::unexpected(not_a_note("its base64 is not canonical"));
  return bytes;
}

}  // namespace

std::string signed_text(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         to_base64(checkpoint.root) + "\n" + std::string(kTimeWord) + to_rfc3339(checkpoint.time) +
         "\n";
}

Result<std::string> sign_note(const Checkpoint& checkpoint, const crypto::PrivateKey& key) {
  if (!origin_allowed(checkpoint.origin))
    return fail(Code::internal, "the origin of a checkpoint has no spaces");
  if (key.algorithm() != crypto::KeyAlgorithm::ed25519)
    return fail(Code::internal, "notes are signed with Ed25519");
  const std::string text = signed_text(checkpoint);
  Bytes blob = key_id_of(checkpoint.origin, key.public_key());
  append(blob, TRY(key.sign(view_of(text))));
  return text + "\n" + std::string(kDash) + checkpoint.origin + " " + to_base64(blob) + "\n";
}

Result<SignedNote> parse_note(std::string_view note) {
  if (note.size() > kNoteBytesMax) return std::unexpected(not_a_note("it is too long"));
  const std::size_t blank = note.find("\n\n");
  if (blank == std::string_view::npos) return std::unexpected(not_a_note("there is no empty line"));
  SignedNote parsed;
  parsed.text = note.substr(0, blank + 1);
  std::string_view text = parsed.text;
  Checkpoint& checkpoint = parsed.checkpoint;
  checkpoint.origin = TRY(take_line(text));
  if (!origin_allowed(checkpoint.origin))
    return std::unexpected(not_a_note("its origin is not allowed"));
  checkpoint.size = TRY(parse_size_line(TRY(take_line(text))));
  const Bytes root = TRY(strict_base64(TRY(take_line(text))));
  if (root.size() != checkpoint.root.size())
    return std::unexpected(not_a_note("its root is no SHA-256"));
  std::ranges::copy(root, checkpoint.root.begin());
  while (!text.empty()) {  // extension lines; unknown ones are signed and ignored
    const std::string_view line = TRY(take_line(text));
    if (line.starts_with(kTimeWord))
      checkpoint.time = TRY(from_rfc3339(line.substr(kTimeWord.size())));
  }
  std::string_view signatures = note.substr(blank + 2);
  while (!signatures.empty()) {
    std::string_view line = TRY(take_line(signatures));
    if (!line.starts_with(kDash))
      return std::unexpected(not_a_note("a signature line starts with a dash"));
    line.remove_prefix(kDash.size());
    const std::size_t space = line.find(' ');
    // Others (witnesses) may have signed as well.
    if (space == std::string_view::npos || line.substr(0, space) != checkpoint.origin) continue;
    const Bytes blob = TRY(strict_base64(line.substr(space + 1)));
    if (blob.size() != kKeyIdBytes + kSignatureBytes) continue;
    parsed.key_id.assign(blob.begin(), blob.begin() + kKeyIdBytes);
    parsed.signature.assign(blob.begin() + kKeyIdBytes, blob.end());
    return parsed;
  }
  return std::unexpected(not_a_note("it has no signature of its origin"));
}

bool note_fits(const SignedNote& note, const crypto::PublicKey& key) {
  return key.algorithm() == crypto::KeyAlgorithm::ed25519 &&
         note.key_id == key_id_of(note.checkpoint.origin, key) &&
         key.verify(view_of(note.text), note.signature);
}

}  // namespace holdfast::tlog
