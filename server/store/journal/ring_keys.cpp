#include "server/store/journal/ring_keys.hpp"

#include <algorithm>

namespace holdfast::journal {

Result<Key> RingKeys::create(std::string_view purpose) {
  return get(TRY(ring_.create(purpose)));
}

Result<Key> RingKeys::get(KeyId id) {
  const seal::SecretKey secret = TRY(ring_.get(id));
  Key key;
  key.id = id;
  std::ranges::copy(secret.view(), key.bytes.begin());
  return key;
}

Result<std::vector<Key>> RingKeys::current_all(const std::vector<std::string>& purposes) {
  std::vector<KeyId> ids(purposes.size(), 0);
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < purposes.size(); ++i) {
    const auto there = find(purposes[i]);
    if (there.empty()) {
      missing.push_back(purposes[i]);
    } else {
      ids[i] = there.back();
    }
  }
  std::vector<KeyId> made;
  if (!missing.empty()) made = TRY(ring_.create_all(missing));
  std::vector<Key> out;
  auto next = made.begin();
  for (const KeyId id : ids) out.push_back(TRY(get(id != 0 ? id : *next++)));
  return out;
}

std::vector<KeyInfo> RingKeys::list(std::string_view purpose_prefix) {
  std::vector<KeyInfo> out;
  for (seal::KeyInfo& info : ring_.list(purpose_prefix)) {
    out.push_back({info.id, std::move(info.purpose)});
  }
  std::ranges::sort(out, {}, &KeyInfo::id);
  return out;
}

Status RingKeys::destroy_all(const std::vector<KeyId>& ids) {
  return ring_.destroy_all(ids);
}

}  // namespace holdfast::journal
