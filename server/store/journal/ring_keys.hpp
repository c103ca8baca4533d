// RingKeys: the server's KeySource, the key ring of server/store/seal. Threads: any.
#pragma once

#include "server/store/journal/key_source.hpp"
#include "server/store/seal/ring.hpp"

namespace holdfast::journal {

class RingKeys final : public KeySource {
 public:
  explicit RingKeys(seal::Ring& ring) : ring_(ring) {}

  Result<Key> create(std::string_view purpose) override;
  Result<Key> get(KeyId id) override;
  Result<std::vector<Key>> current_all(const std::vector<std::string>& purposes) override;
  std::vector<KeyInfo> list(std::string_view purpose_prefix) override;
  Status destroy_all(const std::vector<KeyId>& ids) override;

 private:
  seal::Ring& ring_;
};

}  // namespace holdfast::journal
