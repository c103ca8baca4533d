// A small PKI for tests of any folder: root, issuing CA, and credentials made on the spot.
// Test code only: every failure ends the test program with its reason.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "libs/crypto/csr.hpp"
#include "libs/crypto/issue.hpp"
#include "libs/crypto/transport.hpp"

namespace holdfast::crypto::testing {

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "test set-up: %s\n", result.error().text().c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class Pki {
 public:
  // Certificates are valid from a day before `now` for the days given.
  explicit Pki(WallTime now, KeyAlgorithm algorithm = KeyAlgorithm::p256)
      : now_(now), algorithm_(algorithm), root_(make_ca(nullptr)), issuing_(make_ca(&root_)) {}

  const Bytes& root_der() const { return root_.certificate.der; }
  const Bytes& issuing_der() const { return issuing_.certificate.der; }
  const Issuer& root() const { return root_; }
  const Issuer& issuing() const { return issuing_; }
  std::vector<Bytes> trust() const { return {root_der(), issuing_der()}; }
  WallTime now() const { return now_; }

  CertificateRequestSpec spec(Profile profile, std::string common_name) {
    CertificateRequestSpec spec;
    spec.profile = profile;
    spec.serial = next_serial();
    spec.common_name = std::move(common_name);
    spec.not_before = now_ - days(1);
    spec.not_after = now_ + days(90);
    return spec;
  }

  Credential issue(const CertificateRequestSpec& spec) {
    PrivateKey key = must(PrivateKey::generate(algorithm_));
    Bytes leaf = must(issue_certificate(spec, key.public_key(), issuing_));
    return {{std::move(leaf)}, std::move(key)};
  }

  // Leaf and issuing CA, for localhost, 127.0.0.1, ::1 and what else is given.
  Credential server(std::vector<std::string> dns = {}, std::vector<std::string> addresses = {}) {
    auto wanted = spec(Profile::server, "holdfast");
    wanted.names.dns = std::move(dns);
    wanted.names.dns.push_back("localhost");
    wanted.names.addresses = std::move(addresses);
    wanted.names.addresses.insert(wanted.names.addresses.end(), {"127.0.0.1", "::1"});
    Credential made = issue(wanted);
    made.chain_der.push_back(issuing_der());
    return made;
  }

  // The leaf alone, as devices send it.
  Credential device(const std::string& id) {
    auto wanted = spec(Profile::device, id);
    wanted.names.uris = {"urn:holdfast:" + id};
    return issue(wanted);
  }

 private:
  Bytes next_serial() {
    std::array<std::uint8_t, kSerialBytes> random{};
    random[15] = static_cast<std::uint8_t>(++serials_);
    random[14] = static_cast<std::uint8_t>(serials_ >> 8);
    return make_serial(random);
  }

  Issuer make_ca(const Issuer* above) {
    auto wanted = spec(above ? Profile::issuing_ca : Profile::root_ca,
                       above ? "Test issuing CA" : "Test root");
    wanted.not_after = now_ + days(3650);
    PrivateKey key = must(PrivateKey::generate(algorithm_));
    const Bytes der =
        must(above ? issue_certificate(wanted, key.public_key(), *above) : make_root(wanted, key));
    return {must(parse_certificate(der)), std::move(key)};
  }

  WallTime now_;
  KeyAlgorithm algorithm_;
  unsigned serials_ = 0;
  Issuer root_, issuing_;
};

}  // namespace holdfast::crypto::testing
