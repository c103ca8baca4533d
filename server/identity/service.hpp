// The identity domain as the others see it: who may connect, and the certificates and claims that
// prove it. The certificate's subject CN is the device id; its serial is looked up on every
// connection, resumed or not, because a resumed TLS session skips OpenSSL's own checks.
//
// Threads: every call may block on SQL; call from workers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/wire/json.hpp"
#include "server/devices/service.hpp"

namespace holdfast::identity {

enum class Purpose { connect, renew };  // quarantined devices may renew, and nothing else

struct Admission {
  DeviceId device;
  std::string name;
  devices::State state = devices::State::enrolled;
  std::optional<SiteId> site;
  std::optional<TypeId> type;
  std::string serial_hex;
  WallTime not_after;
  devices::EvidenceClass evidence = devices::EvidenceClass::claim;  // of this certificate
};

struct Enrolment {
  std::string claim;            // EST password
  Bytes csr_der;
  std::string peer_address;     // with its port, as the stream tells it
};

// What a device without a claim gets: its certificate, or when to ask again.
struct Waited {
  std::optional<Bytes> certificate;
  Duration retry_after;
};

// What anybody may fetch, unauthenticated and also in the clear: all of it is signed.
struct Published {
  std::string type;  // media type
  Bytes body;
  WallTime this_update, next_update;
  bool cacheable = true;  // false: made for this one question
};

// What a decommissioned device is told to do, once more: destroy what it holds, and sign that it did.
struct EraseOrder {
  DeviceId device;
  std::string nonce;  // hexadecimal; goes into the statement
  WallTime deadline;
};

class Service {
 public:
  virtual ~Service() = default;

  // Codes: certificate_invalid, certificate_expired, certificate_revoked, device_unknown,
  // device_quarantined, device_revoked, device_decommissioned.
  // `peer_address` ("" where there is none): who speaks from where, to notice two holders of one key.
  virtual Result<Admission> admit(View certificate_der, Purpose purpose, std::string_view peer_address) = 0;
  Result<Admission> admit(View certificate_der, Purpose purpose) { return admit(certificate_der, purpose, {}); }

  // EST (RFC 7030): DER of certificates, formatted by libs/est.
  virtual Result<std::vector<Bytes>> ca_chain_der() = 0;  // issuing CA first, root last
  virtual Result<Bytes> enrol(const Enrolment& enrolment) = 0;
  // Without a claim. unauthenticated: unknown devices do not wait here; forbidden: an operator refused it.
  virtual Result<Waited> enrol_unknown(View csr_der, std::string_view peer_address) = 0;
  virtual Result<Bytes> renew(View peer_certificate_der, View csr_der, std::string_view peer_address) = 0;

  // By a certificate that may be revoked: the key is what proves the device. not_found: nothing is ordered.
  virtual Result<EraseOrder> erase_order(View certificate_der) = 0;
  // Durable on return; a repeat changes nothing. Errors: payload_malformed, not_found, certificate_invalid.
  virtual Status erase_proven(View certificate_der, View statement, View signature) = 0;

  // "root.cer", "issuing.cer", "root.crl", "issuing.crl", or a CA's by its publication name. Errors: not_found.
  virtual Result<Published> published(std::string_view name) = 0;
  // RFC 6960: the DER of a request to that of a response, which may say that there is no answer.
  virtual Result<Published> ocsp(View request_der) = 0;

  // TPMs (contract/device-protocol.md 3.7 and 3.8): bodies of requests to bodies of answers. A part of a
  // server that has no TPMs answers Code::unsupported.
  virtual Result<wire::Json> attest_begin(const wire::Json&, std::string_view) { return no_tpms(); }
  virtual Result<wire::Json> attest_finish(std::string_view, const wire::Json&, std::string_view) { return no_tpms(); }
  virtual Result<wire::Json> check_begin(DeviceId) { return no_tpms(); }
  virtual Result<wire::Json> check_finish(DeviceId, std::string_view, const wire::Json&) { return no_tpms(); }

  // What the server itself presents, for the operator API and for devices; renewed by itself.
  virtual Result<crypto::Credential> server_credential() = 0;
  virtual Result<std::vector<Bytes>> device_trust_der() = 0;

 private:
  static std::unexpected<Error> no_tpms() { return fail(Code::unsupported, "TPMs are not served here"); }
};

}  // namespace holdfast::identity
