// Where this device keeps its keys: in the best store there is, unless the settings say which. Keys
// that are already there stay usable: new ones are made in the chosen store, old ones are found in
// either.
#pragma once

#include "libs/keys/token.hpp"
#include "libs/keys/tpm_key_store.hpp"
#include "libs/os/system.hpp"

namespace holdfast::agent {

struct KeyOptions {
  // best: the TPM if there is one, else the token if one is configured, else files. The others are
  // demands: what is missing then is an error.
  enum class Store { best, tpm, token, file };
  Store store = Store::file;
  std::string tcti = std::string(keys::kTpmDefault);
  keys::TokenOptions token = {};
};

// The hardware that was chosen, if any, and why.
struct Hardware {
  std::shared_ptr<keys::TpmDevice> tpm;
  std::unique_ptr<keys::KeyStore> token;
  std::string why;
};
// Errors: those of the store that is demanded.
Result<Hardware> find_hardware(const os::System& system, const KeyOptions& options);

struct ChosenKeys {
  std::unique_ptr<keys::KeyStore> all;
  keys::TpmKeyStore* tpm = nullptr;  // inside `all`
};
// `files`: the store of keys in files, below everything.
Result<ChosenKeys> choose_keys(const os::System& system, Hardware hardware,
                               const std::string& folder, std::unique_ptr<keys::KeyStore> files);

}  // namespace holdfast::agent
