// StateFolder: what the agent keeps on disk, and how: each file is replaced whole, so that a power
// cut leaves the old or the new one (os::replace_file).
//   identity.json   who this device is, where its server is, certificates (public)
//   join.json, renewal.json   a request under way: key name and the CSR's bytes, kept until done
//   keys/*.key      sealed private keys (libs/keys)
//   NAME.sealed     AES-256-GCM under a key derived from the sealing key; associated data: the name
// The sealing key lies beside the folder, not in it.
// Errors: corrupt, seal_key_wrong, and those of os::Files. One owner thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/join/key_choice.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/keys/key_store.hpp"
#include "libs/os/system.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::agent {

// From here on a clock is believed (device-protocol.md section 1).
inline constexpr WallTime kClockTrustedFrom{1'577'836'800'000'000};  // 2020-01-01
inline bool clock_trusted(WallTime now) {
  return now >= kClockTrustedFrom;
}

struct Certified {
  std::string key_name;
  Bytes certificate_der;
  bool operator==(const Certified&) const = default;
};

struct Identity {
  std::string device_id;
  std::string device;  // HTTPS for devices, "host:port"
  std::string mqtt;    // "host:port"
  Bytes root_der;
  std::string join_digest;  // SHA-256 of the join code that made it, hex
  Certified current;
  std::optional<Certified> next;  // renewed, not yet proven by a connection
  WallTime renew_at{};            // drawn once for each certificate
  bool operator==(const Identity&) const = default;
};

// A certificate request under way; sent again byte for byte after a crash or a lost reply.
struct PendingRequest {
  std::string key_name;
  Bytes csr_der;
  bool operator==(const PendingRequest&) const = default;
};

class StateFolder final {
 public:
  static constexpr std::size_t kFileBytesMax = 1024 * 1024;

  static Result<std::unique_ptr<StateFolder>> open(os::System system, std::string folder,
                                                   std::string seal_path,
                                                   const KeyOptions& keys = {});
  ~StateFolder();
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;

  // Without opening the folder: makes nothing, needs no sealing key.
  static Result<std::optional<Identity>> read_identity(os::Files& files, const std::string& folder);
  Result<std::optional<Identity>> identity() const { return read_identity(system_.files, folder_); }
  Status save(const Identity& identity);
  Result<crypto::Credential> credential(const Certified& certified) const;

  // `purpose`: "join" or "renewal". Makes key and request when there is none.
  Result<PendingRequest> request(const std::string& purpose, const std::string& common_name);
  Status forget_request(const std::string& purpose);
  // Removes keys that neither the identity nor a request names.
  Status drop_unused_keys();

  Result<std::optional<Bytes>> load_sealed(const std::string& name) const;
  Status save_sealed(const std::string& name, View content);
  // A key of its own for one use.
  Result<Bytes> derive_key(std::string_view use) const;

  // The end of this device (erasure.hpp): first all but who it is, then keys, identity and sealing
  // key. Each may be called again after a cut.
  Status erase_data();
  Status erase_identity();
  // Was erase_identity() begun and cut short? Then it has to be called again, and nothing else.
  static bool erasing(os::Files& files, const std::string& folder);

  // The TPM's store when keys are made there, and why keys are made where they are.
  keys::TpmKeyStore* tpm() const { return tpm_; }
  const std::string& keys_where() const { return keys_where_; }
  // Whether the key of this name lies in the TPM.
  bool in_tpm(const std::string& key_name) const;

  const std::string& folder() const { return folder_; }
  os::System system() const { return system_; }

 private:
  StateFolder(os::System system, std::string folder, std::string seal_path, Bytes sealing_key,
              ChosenKeys keys, std::string keys_where);
  std::string path(std::string_view name) const { return os::join(folder_, name); }
  Result<std::optional<PendingRequest>> load_request(const std::string& purpose) const;

  os::System system_;
  const std::string folder_;
  const std::string seal_path_;
  Bytes sealing_key_;
  std::unique_ptr<keys::KeyStore> keys_;
  keys::TpmKeyStore* const tpm_;
  const std::string keys_where_;
};

}  // namespace holdfast::agent
