// MemoryKeys: a KeySource for tests and benchmarks. It outlives a simulated crash, as the key ring
// does, and knows which keys were destroyed. Thread-safe.
#pragma once

#include <map>

#include "libs/base/guarded.hpp"
#include "libs/os/entropy.hpp"
#include "server/store/journal/key_source.hpp"

namespace holdfast::journal {

class MemoryKeys final : public KeySource {
 public:
  explicit MemoryKeys(os::Entropy& entropy) : entropy_(entropy) {}

  Result<Key> create(std::string_view purpose) override {
    Key key;
    entropy_.fill(key.bytes);
    return state_.with([&](State& state) {
      key.id = ++state.last;
      state.keys[key.id] = {std::string(purpose), key};
      return key;
    });
  }
  Result<Key> get(KeyId id) override {
    return state_.with([&](State& state) -> Result<Key> {
      const auto at = state.keys.find(id);
      if (at == state.keys.end()) return fail(Code::not_found, "no key " + std::to_string(id));
      return at->second.second;
    });
  }
  Result<std::vector<Key>> current_all(const std::vector<std::string>& purposes) override {
    std::vector<Key> out;
    for (const std::string& purpose : purposes) {
      const auto there = find(purpose);
      out.push_back(TRY(there.empty() ? create(purpose) : get(there.back())));
    }
    return out;
  }
  std::vector<KeyInfo> list(std::string_view purpose_prefix) override {
    return state_.with([&](State& state) {
      std::vector<KeyInfo> out;
      for (const auto& [id, entry] : state.keys) {
        if (entry.first.starts_with(purpose_prefix)) out.push_back({id, entry.first});
      }
      return out;
    });
  }
  Status destroy_all(const std::vector<KeyId>& ids) override {
    state_.with([&](State& state) {
      for (const KeyId id : ids) state.keys.erase(id);
    });
    return {};
  }
  std::size_t count(std::string_view purpose_prefix = {}) const {
    return state_.with([&](const State& state) {
      std::size_t sum = 0;
      for (const auto& [id, entry] : state.keys)
        sum += entry.first.starts_with(purpose_prefix) ? 1 : 0;
      return sum;
    });
  }

 private:
  struct State {
    KeyId last = 0;
    std::map<KeyId, std::pair<std::string, Key>> keys;
  };
  os::Entropy& entropy_;
  Guarded<State> state_;
};

}  // namespace holdfast::journal
