// Checkpoints as signed notes (C2SP signed-note, tlog-checkpoint), Ed25519:
//
//   <origin>\n<tree size>\n<base64 of the root hash>\ntime <RFC 3339>\n
//   \n
//   — <origin> <base64 of key id (4 bytes) and signature (64)>\n
//
// The signed bytes are all before the empty line, with their last newline. key id = first 4 bytes
// of SHA-256(origin || "\n" || 0x01 || public key). The time is an extension line. Errors:
// malformed_body (not such a note). Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/time.hpp"
#include "libs/crypto/key.hpp"
#include "libs/tlog/merkle.hpp"

namespace holdfast::tlog {

inline constexpr std::size_t kNoteBytesMax = 4'096;

struct Checkpoint {
  std::string origin;  // names the log and its key: no spaces, no plus
  std::uint64_t size = 0;
  Hash root{};
  WallTime time;
  bool operator==(const Checkpoint&) const = default;
};

// The bytes that are signed.
std::string signed_text(const Checkpoint& checkpoint);
Result<std::string> sign_note(const Checkpoint& checkpoint, const crypto::PrivateKey& key);

struct SignedNote {
  Checkpoint checkpoint;
  std::string text;  // the signed bytes
  Bytes signature;   // 64 bytes
  Bytes key_id;      // 4 bytes
};
Result<SignedNote> parse_note(std::string_view note);
// Does the signature of the note's origin fit this key?
bool note_fits(const SignedNote& note, const crypto::PublicKey& key);

}  // namespace holdfast::tlog
