// Key stores: private keys by name, wherever they lie. A file, a TPM or a PKCS#11 token gives the
// same crypto::PrivateKey; only the evidence class tells how well the key is held.
// Errors: not_found, already_exists, invalid_argument (name), corrupt (damaged), seal_key_wrong,
// and those of os::Files. Thread-safe, but for two calls at once that change one name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/crypto/key.hpp"
#include "libs/os/entropy.hpp"
#include "libs/os/files.hpp"

namespace holdfast::keys {

// How a key is held, as claimed by the store itself; attestation may prove it later.
enum class Evidence { software, secure_element, tpm };
std::string_view name_of(Evidence evidence);  // "software", "secure_element", "tpm"

struct StoredKey {
  crypto::PrivateKey key;
  Evidence evidence = Evidence::software;
};

inline constexpr std::size_t kKeyNameBytesMax = 64;  // a to z, 0 to 9, '-', '_', '.', not first '.'

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual Result<StoredKey> create(std::string_view name, crypto::KeyAlgorithm algorithm) = 0;
  // Takes a key from elsewhere; replaces one of that name, atomically. Stores whose keys are born
  // inside answer Code::unsupported.
  virtual Status put(std::string_view name, const crypto::PrivateKey& key) = 0;
  virtual Result<StoredKey> load(std::string_view name) = 0;
  virtual Status rename(std::string_view from, std::string_view to) = 0;  // replaces
  virtual Status remove(std::string_view name) = 0;
  virtual Result<std::vector<std::string>> list() = 0;  // sorted
};

// Keys as files `folder/NAME.key`, each sealed with AES-256-GCM under the sealing key with its name
// as associated data: nothing readable ever touches the disk.
Result<std::unique_ptr<KeyStore>> make_file_key_store(os::Files& files, os::Entropy& entropy,
                                                      std::string folder, View sealing_key32);

// The 32 bytes in the file at `path` (mode 0600); made from `entropy` when there is no such file.
// Code::seal_key_wrong when the file holds anything else. The caller wipes them (crypto/aead.hpp).
Result<Bytes> load_or_make_sealing_key(os::Files& files, os::Entropy& entropy,
                                       const std::string& path);

}  // namespace holdfast::keys
