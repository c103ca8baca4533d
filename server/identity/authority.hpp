// Authority: the server's own certificate authority and its server certificate. Root and issuing CA are
// P-256; their keys lie sealed in `<folder>/keys` (libs/keys), their certificates beside them:
//
//   <folder>/root.pem      the trust anchor: public, handed to people and devices
//   <folder>/issuing.pem   signs devices and servers; path length 0
//   <folder>/server.pem    what this server presents, with the issuing CA
//
// Made at the first start. A start that was cut short begins again: root.pem is written last, and
// nothing can have been issued before it.
// Threads: issue() and certificates from any thread; renew_server() from one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/guarded.hpp"
#include "libs/crypto/issue.hpp"
#include "libs/crypto/verify.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/keys/key_store.hpp"
#include "libs/os/system.hpp"
#include "server/devices/model.hpp"

namespace holdfast::identity {

inline constexpr Duration kRootLife = days(20 * 365);
inline constexpr Duration kIssuingLife = days(5 * 365);
inline constexpr Duration kServerLife = days(90);
inline constexpr Duration kServerRenewBefore = days(30);
inline constexpr Duration kResponderLife = days(30);
inline constexpr Duration kResponderRenewBefore = days(10);
inline constexpr Duration kBackdate = minutes(5);  // for clocks that run behind

class Authority {
 public:
  // Takes `keys` over. `names`: DNS names and addresses that the server certificate must carry.
  // `public_url`: where foreign verifiers reach /pki and /ocsp, without a slash at its end; it goes into
  // certificates. Empty: certificates name no such place.
  static Result<std::unique_ptr<Authority>> open(const os::System& system, std::string folder,
                                                 std::unique_ptr<keys::KeyStore> keys, std::vector<std::string> names,
                                                 std::string public_url = {});

  // A device certificate by the documented profile (contract/device-protocol.md 3.5).
  Result<Bytes> issue_device(DeviceId device, const crypto::PublicKey& key, WallTime now, Duration life,
                             devices::EvidenceClass evidence) const;

  const crypto::Certificate& root() const { return root_; }
  const crypto::Certificate& issuing() const { return issuing_.certificate; }
  crypto::Credential server_credential() const;
  crypto::Certificate server_certificate() const;
  // Makes a new server certificate if the present one nears its end or lacks a name. Answers whether.
  Result<bool> renew_server();
  const std::vector<std::string>& names() const { return names_; }

  // The issuing CA and its key: for CRLs. The root's: nullopt where it is kept offline.
  const crypto::Issuer& issuer() const { return issuing_; }
  std::optional<crypto::Issuer> root_issuer() const;
  // Whom the issuing CA lets answer for it (RFC 6960 4.2.2.2); renewed by renew_responder().
  crypto::Issuer responder() const;
  // Makes a new responder certificate if the present one nears its end. Answers whether.
  Result<bool> renew_responder();

 private:
  Authority(const os::System& system, std::string folder, std::unique_ptr<keys::KeyStore> keys,
            std::vector<std::string> names, std::string public_url);
  Status load_or_make_cas();
  Status make_cas();
  Status load_server();
  Bytes new_serial() const;
  void publish_in(crypto::CertificateRequestSpec& spec) const;
  bool published_in(const crypto::Certificate& certificate) const;

  os::System system_;
  std::string folder_;
  std::unique_ptr<keys::KeyStore> keys_;
  std::vector<std::string> names_;
  std::string public_url_;
  crypto::Certificate root_;
  crypto::Issuer issuing_;
  struct Server {
    crypto::Certificate certificate;
    crypto::PrivateKey key;
  };
  Guarded<std::optional<Server>> server_;
  Guarded<std::optional<crypto::Issuer>> responder_;
};

// The name under /pki that a CA's CRL (".crl") and certificate (".cer") have: by its key, so that what
// stands in certificates stays true after a roll-over. 16 hex digits.
std::string publication_name(const crypto::Certificate& ca);
// Pure: which names of `wanted` a certificate does not carry.
std::vector<std::string> missing_names(const crypto::Certificate& certificate, const std::vector<std::string>& wanted);
// localhost, its addresses, the host's name, the interfaces' addresses, and what was configured; each once.
std::vector<std::string> server_names(const os::Network& network, const std::vector<std::string>& configured);

}  // namespace holdfast::identity
