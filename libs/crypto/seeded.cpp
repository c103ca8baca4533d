#include "libs/crypto/seeded.hpp"

#include <openssl/rand.h>

#include <cstdlib>

// RAND_set_rand_method is deprecated in favour of providers, but it is the one door that all of
// OpenSSL 3's own code goes through, and a provider would need a library context of its own.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace holdfast::crypto {
namespace {

// OpenSSL's method table carries no user data, hence the one pointer of this code base.
os::Entropy* seeded_source = nullptr;

int seeded_bytes(unsigned char* out, int count) {
  if (seeded_source == nullptr || count < 0) return 0;
  seeded_source->fill({out, static_cast<std::size_t>(count)});
  return 1;
}
int seeded_status() {
  return 1;
}

const RAND_METHOD kSeededMethod = {nullptr, seeded_bytes, nullptr,
                                   nullptr, seeded_bytes, seeded_status};

}  // namespace

SeededRandom::SeededRandom(os::Entropy& entropy) {
  if (seeded_source != nullptr) std::abort();  // two would not be reproducible
  seeded_source = &entropy;
  RAND_set_rand_method(&kSeededMethod);
}

SeededRandom::~SeededRandom() {
  RAND_set_rand_method(nullptr);
  seeded_source = nullptr;
}

}  // namespace holdfast::crypto

#pragma GCC diagnostic pop
