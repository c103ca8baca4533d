#include "server/identity/authority.hpp"

#include <algorithm>

#include "libs/crypto/evidence.hpp"

namespace holdfast::identity {
namespace {

constexpr std::string_view kRootKey = "root";
constexpr std::string_view kIssuingKey = "issuing";
constexpr std::string_view kServerKey = "server";
constexpr std::string_view kResponderKey = "ocsp";
constexpr std::size_t kPemBytesMax = 64 * 1024;

bool is_address(std::string_view name) {
  const bool digits_and_dots = std::all_of(name.begin(), name.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return name.find(':') != std::string_view::npos || digits_and_dots;
}

Result<crypto::Certificate> read_certificate(os::Files& files, const std::string& path) {
  const Bytes pem = TRY(os::read_file(files, path, kPemBytesMax));
  const auto chain = TRY(crypto::certificates_from_pem(text_of(pem)));
  if (chain.empty()) return fail(Code::corrupt, "there is no certificate in " + path);
  return crypto::parse_certificate(chain.front());
}

// A key of this name, made new; an older one of a start that was cut short is replaced.
Result<crypto::PrivateKey> fresh_key(keys::KeyStore& store, std::string_view name) {
  const auto key = TRY(crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256));
  TRY(store.put(name, key));
  return key;
}

}  // namespace

std::vector<std::string> missing_names(const crypto::Certificate& certificate, const std::vector<std::string>& wanted) {
  std::vector<std::string> missing;
  for (const std::string& name : wanted) {
    if (!crypto::names_host(certificate, name)) missing.push_back(name);
  }
  return missing;
}

std::vector<std::string> server_names(const os::Network& network, const std::vector<std::string>& configured) {
  std::vector<std::string> names = configured;
  names.emplace_back("localhost");
  names.emplace_back("127.0.0.1");
  names.emplace_back("::1");
  names.push_back(network.host_name());
  for (const std::string& address : network.interface_addresses()) names.push_back(address);
  std::vector<std::string> once;
  for (const std::string& name : names) {
    if (!name.empty() && std::find(once.begin(), once.end(), name) == once.end()) once.push_back(name);
  }
  return once;
}

Authority::Authority(const os::System& system, std::string folder, std::unique_ptr<keys::KeyStore> keys,
                     std::vector<std::string> names, std::string public_url)
    : system_(system),
      folder_(std::move(folder)),
      keys_(std::move(keys)),
      names_(std::move(names)),
      public_url_(std::move(public_url)) {}

Result<std::unique_ptr<Authority>> Authority::open(const os::System& system, std::string folder,
                                                   std::unique_ptr<keys::KeyStore> keys, std::vector<std::string> names,
                                                   std::string public_url) {
  std::unique_ptr<Authority> authority(
      new Authority(system, std::move(folder), std::move(keys), std::move(names), std::move(public_url)));
  TRY(system.files.make_folder(authority->folder_));
  TRY(with_context(authority->load_or_make_cas(), "opening the certificate authority in " + authority->folder_));
  TRY(with_context(authority->load_server(), "opening the server certificate"));
  TRY(authority->renew_server());
  TRY(authority->renew_responder());
  return authority;
}

Bytes Authority::new_serial() const {
  std::array<std::uint8_t, crypto::kSerialBytes> random{};
  system_.entropy.fill(random);
  return crypto::make_serial(random);
}

Status Authority::load_or_make_cas() {
  const std::string root_path = os::join(folder_, "root.pem");
  if (!os::exists(system_.files, root_path)) return make_cas();
  root_ = TRY(read_certificate(system_.files, root_path));
  issuing_.certificate = TRY(read_certificate(system_.files, os::join(folder_, "issuing.pem")));
  issuing_.key = TRY(keys_->load(kIssuingKey)).key;
  if (issuing_.key.public_key().spki_der() != issuing_.certificate.spki_der) {
    return fail(Code::corrupt, "the issuing CA's key does not fit its certificate: restore both from one backup");
  }
  return {};
}

Status Authority::make_cas() {
  const WallTime now = system_.clock.wall();
  const auto root_key = TRY(fresh_key(*keys_, kRootKey));
  crypto::CertificateRequestSpec root;
  root.profile = crypto::Profile::root_ca;
  root.serial = new_serial();
  root.common_name = "Holdfast root " + to_hex(View(root.serial).first(4));
  root.not_before = now - kBackdate;
  root.not_after = now + kRootLife;
  const Bytes root_der = TRY(crypto::make_root(root, root_key));
  root_ = TRY(crypto::parse_certificate(root_der));

  issuing_.key = TRY(fresh_key(*keys_, kIssuingKey));
  crypto::CertificateRequestSpec issuing;
  issuing.profile = crypto::Profile::issuing_ca;
  issuing.serial = new_serial();
  issuing.common_name = "Holdfast issuing " + to_hex(View(issuing.serial).first(4));
  issuing.not_before = root_.not_before;
  issuing.not_after = now + kIssuingLife;
  if (!public_url_.empty()) {
    issuing.extensions.push_back(crypto::crl_distribution_point(public_url_ + "/pki/" + publication_name(root_) + ".crl"));
  }
  const Bytes issuing_der =
      TRY(crypto::issue_certificate(issuing, issuing_.key.public_key(), crypto::Issuer{root_, root_key}));
  issuing_.certificate = TRY(crypto::parse_certificate(issuing_der));

  const auto write = [&](std::string_view name, const Bytes& der) {
    return os::replace_file(system_.files, os::join(folder_, name), view_of(crypto::certificates_to_pem({der})));
  };
  TRY(write("issuing.pem", issuing_der));
  // The folder itself, too: without its entry a power cut would take the authority away again.
  TRY(system_.files.sync_dir(os::folder_of(folder_)));
  return write("root.pem", root_der);  // last: from here on the authority exists
}

Status Authority::load_server() {
  const std::string path = os::join(folder_, "server.pem");
  if (!os::exists(system_.files, path)) return {};
  auto read = read_certificate(system_.files, path);
  if (!read && read.error().code == Code::io_error) return std::unexpected(read.error());
  if (!read) return {};  // damaged: it is only the server's own, and is made anew
  crypto::Certificate certificate = *std::move(read);
  auto stored = keys_->load(kServerKey);
  // A renewal that was cut short may leave a key without its certificate: then a new pair is made.
  if (!stored || stored->key.public_key().spki_der() != certificate.spki_der) return {};
  server_.with([&](std::optional<Server>& server) { server = Server{std::move(certificate), stored->key}; });
  return {};
}

Result<bool> Authority::renew_server() {
  const WallTime now = system_.clock.wall();
  const bool fine = server_.with([&](const std::optional<Server>& server) {
    return server && server->certificate.not_after > now + kServerRenewBefore &&
           server->certificate.not_before <= now && missing_names(server->certificate, names_).empty() &&
           published_in(server->certificate);
  });
  if (fine) return false;
  const auto key = TRY(fresh_key(*keys_, kServerKey));
  crypto::CertificateRequestSpec spec;
  spec.profile = crypto::Profile::server;
  spec.serial = new_serial();
  for (const std::string& name : names_) (is_address(name) ? spec.names.addresses : spec.names.dns).push_back(name);
  // A common name has at most 64 bytes; names count only in subjectAltName anyway.
  spec.common_name = names_.front().size() <= 64 ? names_.front() : "holdfast";
  spec.not_before = std::max(now - kBackdate, issuing_.certificate.not_before);
  spec.not_after = std::min(now + kServerLife, issuing_.certificate.not_after);
  publish_in(spec);
  const Bytes der = TRY(crypto::issue_certificate(spec, key.public_key(), issuing_));
  TRY(os::replace_file(system_.files, os::join(folder_, "server.pem"),
                       view_of(crypto::certificates_to_pem({der, issuing_.certificate.der}))));
  auto certificate = TRY(crypto::parse_certificate(der));
  server_.with([&](std::optional<Server>& server) { server = Server{std::move(certificate), key}; });
  return true;
}

std::string publication_name(const crypto::Certificate& ca) {
  return to_hex(View(ca.subject_key_id).first(std::min<std::size_t>(8, ca.subject_key_id.size())));
}

void Authority::publish_in(crypto::CertificateRequestSpec& spec) const {
  if (public_url_.empty()) return;
  const std::string ca = public_url_ + "/pki/" + publication_name(issuing_.certificate);
  spec.extensions.push_back(crypto::crl_distribution_point(ca + ".crl"));
  spec.extensions.push_back(crypto::authority_access(public_url_ + "/ocsp", ca + ".cer"));
}

// Does the certificate name the places that are configured now, and no other?
bool Authority::published_in(const crypto::Certificate& certificate) const {
  crypto::CertificateRequestSpec wanted;
  publish_in(wanted);
  constexpr std::string_view kCrlPoints = "2.5.29.31";
  if (wanted.extensions.empty()) return certificate.find(kCrlPoints) == nullptr;
  return std::all_of(wanted.extensions.begin(), wanted.extensions.end(), [&](const crypto::Extension& one) {
    const auto* found = certificate.find(one.oid);
    return found != nullptr && found->value == one.value;
  });
}

std::optional<crypto::Issuer> Authority::root_issuer() const {
  auto stored = keys_->load(kRootKey);
  if (!stored || stored->key.public_key().spki_der() != root_.spki_der) return std::nullopt;
  return crypto::Issuer{root_, stored->key};
}

crypto::Issuer Authority::responder() const {
  return responder_.with([](const std::optional<crypto::Issuer>& responder) { return *responder; });
}

Result<bool> Authority::renew_responder() {
  const WallTime now = system_.clock.wall();
  const std::string path = os::join(folder_, "ocsp.pem");
  const auto current = responder_.with([](const std::optional<crypto::Issuer>& responder) { return responder; });
  if (!current && os::exists(system_.files, path)) {
    auto stored = keys_->load(kResponderKey);
    auto certificate = read_certificate(system_.files, path);
    if (stored && certificate && stored->key.public_key().spki_der() == certificate->spki_der &&
        certificate->authority_key_id == issuing_.certificate.subject_key_id) {
      responder_.with([&](std::optional<crypto::Issuer>& held) { held = crypto::Issuer{*certificate, stored->key}; });
    }
  }
  const bool fine = responder_.with([&](const std::optional<crypto::Issuer>& held) {
    return held && held->certificate.not_after > now + kResponderRenewBefore && held->certificate.not_before <= now &&
           held->certificate.authority_key_id == issuing_.certificate.subject_key_id;
  });
  if (fine) return false;
  const auto key = TRY(fresh_key(*keys_, kResponderKey));
  crypto::CertificateRequestSpec spec;
  spec.profile = crypto::Profile::ocsp_responder;
  spec.serial = new_serial();
  spec.common_name = "Holdfast OCSP " + to_hex(View(spec.serial).first(4));
  spec.not_before = std::max(now - kBackdate, issuing_.certificate.not_before);
  spec.not_after = std::min(now + kResponderLife, issuing_.certificate.not_after);
  spec.extensions.push_back(crypto::ocsp_no_check());
  const Bytes der = TRY(crypto::issue_certificate(spec, key.public_key(), issuing_));
  TRY(os::replace_file(system_.files, path, view_of(crypto::certificates_to_pem({der}))));
  auto certificate = TRY(crypto::parse_certificate(der));
  responder_.with([&](std::optional<crypto::Issuer>& held) { held = crypto::Issuer{std::move(certificate), key}; });
  return true;
}

crypto::Credential Authority::server_credential() const {
  return server_.with([&](const std::optional<Server>& server) {
    return crypto::Credential{{server->certificate.der, issuing_.certificate.der}, server->key};
  });
}

crypto::Certificate Authority::server_certificate() const {
  return server_.with([](const std::optional<Server>& server) { return server->certificate; });
}

Result<Bytes> Authority::issue_device(DeviceId device, const crypto::PublicKey& key, WallTime now, Duration life,
                                      devices::EvidenceClass evidence) const {
  crypto::CertificateRequestSpec spec;
  spec.profile = crypto::Profile::device;
  spec.serial = new_serial();
  spec.common_name = device.text();
  spec.names.uris.push_back("urn:holdfast:" + device.text());
  spec.extensions.push_back(crypto::evidence_extension(devices::name_of(evidence)));
  spec.not_before = std::max(now - kBackdate, issuing_.certificate.not_before);
  spec.not_after = std::min(now + life, issuing_.certificate.not_after);
  publish_in(spec);
  return crypto::issue_certificate(spec, key, issuing_);
}

}  // namespace holdfast::identity
