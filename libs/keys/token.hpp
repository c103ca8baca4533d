// Keys in a PKCS#11 token (smart card, HSM, SoftHSM): made there with CKA_SENSITIVE and not
// extractable, used by C_Sign. The module is loaded with dlopen; no engine, no provider.
//
// One signature at a time a token: several threads inside one make most tokens slower, so calls
// wait for one another. A token that was taken out is looked for again at the next call.
//
// Errors: key_store_unavailable (no module, no token, taken out), key_store_locked (wrong or locked
// PIN). Names are CKA_LABEL. P-256 and P-384.
#pragma once

#include "libs/keys/key_store.hpp"

namespace holdfast::keys {

struct TokenOptions {
  std::string module;    // "/usr/lib/softhsm/libsofthsm2.so"
  std::string token;     // its label
  std::string pin_file;  // its first line is the PIN; never an argument, for those are readable
};

// Logs in once; a wrong PIN is not tried again by itself, for three lock most tokens.
Result<std::unique_ptr<KeyStore>> open_token(os::Files& files, os::Entropy& entropy,
                                             TokenOptions options);

}  // namespace holdfast::keys
