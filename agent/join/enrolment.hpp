// Enrolment: one certificate over EST (RFC 7030, RFC 8951; contract/device-protocol.md sections 2
// and 3): CA certificates first, then simpleenroll with a claim or simplereenroll with the present
// certificate. What comes back is checked before it is believed: chain to the root, our key, a
// device id.
// Errors: server_untrusted (no root with the fingerprint), the server's own problems, unreachable,
// certificate_invalid, protocol_error. On its loop; `done` runs once, never inside run().
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libs/crypto/transport.hpp"
#include "libs/http/client.hpp"
#include "libs/keys/tpm_key_store.hpp"
#include "libs/os/system.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::agent {

struct EnrolmentRequest {
  os::Endpoint server;
  Bytes csr_der;
  std::optional<std::array<std::uint8_t, 32>> root_fingerprint;  // first contact
  Bytes root_der;                                                // later ones
  std::string claim;                                             // simpleenroll, when not empty
  std::optional<crypto::Credential> credential;                  // simplereenroll
  // With a TPM: the key of the request is proven (section 3.7) instead. Where the server does not
  // know the TPM, a claim or a credential is still good by itself.
  keys::TpmKeyStore* tpm = nullptr;
  std::string key_name;
};

struct Issued {
  std::string device_id;
  Bytes certificate_der;
  Bytes root_der;
  WallTime not_before, not_after;
};

// Of the certificates, the self-signed one whose SHA-256 is the fingerprint.
Result<Bytes> root_among(const std::vector<Bytes>& certificates_der,
                         const std::array<std::uint8_t, 32>& fingerprint);
// Checks an issued certificate against root, intermediates and the request's key.
Result<Issued> check_issued(const Bytes& certificate_der, const Bytes& csr_der,
                            const Bytes& root_der, const std::vector<Bytes>& others, WallTime now);

class Enrolment final {
 public:
  using Done = std::move_only_function<void(Result<Issued>)>;
  static constexpr Duration kAnswerLimit = seconds(30);
  static constexpr std::size_t kAnswerBytesMax = 64 * 1024;

  Enrolment(os::System system, os::Loop& loop, crypto::Transport& transport,
            EnrolmentRequest request);
  ~Enrolment();
  Enrolment(const Enrolment&) = delete;
  Enrolment& operator=(const Enrolment&) = delete;

  void run(Done done);
  // Of the last answer, where the server gave one.
  std::optional<double> retry_after_s() const { return retry_after_s_; }

 private:
  void got_cas(Result<http::ClientResponse> response);
  void post_request();
  void post_json(std::string target, const wire::JsonObject& body,
                 void (Enrolment::*then)(Result<wire::Json>));
  void begin_attestation();
  Result<wire::JsonObject> proof(const wire::Json& challenge);
  void got_challenge(Result<wire::Json> challenge);
  void got_attested(Result<wire::Json> answer);
  void got_certificate(Result<http::ClientResponse> response);
  void finish(Result<Issued> result);
  crypto::ClientSettings settings() const;
  Result<std::vector<Bytes>> certificates(Result<http::ClientResponse> response);

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  EnrolmentRequest request_;
  std::vector<Bytes> cas_;
  std::unique_ptr<http::Client> client_;
  std::optional<double> retry_after_s_;
  Done done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent
