// Keys in a TPM 2.0: born there, and loaded from blobs in files `folder/NAME.tpm` that no other TPM
// can load. A copied folder is therefore of no use elsewhere: load() answers corrupt and says so.
// Format of a file: "HFTPM1" and two zero bytes, then TPM2B_PUBLIC and TPM2B_PRIVATE.
#pragma once

#include "libs/keys/key_store.hpp"
#include "libs/keys/tpm_device.hpp"

namespace holdfast::keys {

class TpmKeyStore : public KeyStore {
 public:
  // What the TPM certifies of a key in this store, for a server that attests it.
  struct Certified {
    Bytes public_area;
    TpmDevice::Said said;
  };
  virtual Result<Certified> certify(std::string_view name, View nonce) = 0;
  virtual const std::shared_ptr<TpmDevice>& device() const = 0;
};

Result<std::unique_ptr<TpmKeyStore>> make_tpm_key_store(os::Files& files, std::string folder,
                                                        std::shared_ptr<TpmDevice> device);

// A secret in a file that only this TPM opens: made from `entropy` when there is none. For the
// sealing key of a state folder; the caller wipes it. Format: "HFTSEAL1", TPM2B_PUBLIC,
// TPM2B_PRIVATE.
Result<Bytes> load_or_make_tpm_sealed(os::Files& files, os::Entropy& entropy, TpmDevice& device,
                                      const std::string& path, std::size_t size);
bool is_tpm_sealed(View file);

}  // namespace holdfast::keys
