#include "libs/crypto/verify.hpp"

#include <openssl/x509v3.h>

#include "libs/crypto/trust.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::size_t kChainOthersMax = 8;  // certificates that a peer may offer beside its leaf
constexpr int kAuthLevel = 2;               // 112 bits of security all along the chain

std::unexpected<ChainFailure> stop(int x509_error, Error why) {
  return std::unexpected(ChainFailure{x509_error, std::move(why)});
}

Error described(int x509_error, int depth, const Certificate& leaf) {
  if (x509_error == X509_V_ERR_CERT_HAS_EXPIRED && depth == 0) {
    return {Code::certificate_expired,
            "certificate \"" + leaf.subject + "\": it ended " + to_rfc3339(leaf.not_after),
            {},
            {},
            {}};
  }
  std::string where = depth == 0 ? "" : " (at CA " + std::to_string(depth) + " of its chain)";
  return {
      Code::certificate_invalid,
      "certificate \"" + leaf.subject + "\": " + X509_verify_cert_error_string(x509_error) + where,
      {},
      {},
      {}};
}

void configure(X509_STORE_CTX* context, const Verification& how) {
  X509_STORE_CTX_set_purpose(context, how.purpose == Purpose::client   ? X509_PURPOSE_SSL_CLIENT
                                      : how.purpose == Purpose::server ? X509_PURPOSE_SSL_SERVER
                                                                       : X509_PURPOSE_ANY);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_depth(param, kChainDepthMax);
  X509_VERIFY_PARAM_set_auth_level(param, kAuthLevel);
  // Any CA of the store ends a chain: a server may hold the issuing CA alone.
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT;
  if (how.check_times) {
    X509_VERIFY_PARAM_set_time(param, static_cast<time_t>(how.now.us / 1'000'000));
  } else {
    flags |= X509_V_FLAG_NO_CHECK_TIME;
  }
  X509_VERIFY_PARAM_set_flags(param, flags);
}

// Our rules for the leaf. They come first: they are cheap, and say more than "unsuitable purpose".
std::expected<void, ChainFailure> check_leaf(const Certificate& leaf, const Verification& how) {
  if (auto ok = check_leaf_profile(leaf, how.purpose); !ok) {
    return stop(X509_V_ERR_INVALID_PURPOSE, std::move(ok).error());
  }
  if (!how.host.empty() && !names_host(leaf, how.host)) {
    return stop(X509_V_ERR_HOSTNAME_MISMATCH,
                {Code::certificate_invalid,
                 "certificate \"" + leaf.subject + "\": it does not name \"" + how.host + "\"",
                 {},
                 {},
                 {}});
  }
  return {};
}

// Our rules for the CAs of a chain that OpenSSL accepted.
Chain check_cas(STACK_OF(X509) * chain, const Certificate& leaf) {
  std::vector<Bytes> out;
  out.push_back(leaf.der);
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    auto ca = parse_certificate(write_x509(sk_X509_value(chain, i)));
    auto ok = ca ? check_ca_profile(*ca) : Status(std::unexpected(ca.error()));
    if (!ok) return stop(X509_V_ERR_INVALID_CA, std::move(ok).error());
    out.push_back(std::move(ca->der));
  }
  return out;
}

}  // namespace

X509Ptr read_x509(View der) {
  const std::uint8_t* at = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate && at != der.data() + der.size()) certificate.reset();
  ERR_clear_error();
  return certificate;
}

Bytes write_x509(const X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  Bytes out(size > 0 ? static_cast<std::size_t>(size) : 0);
  std::uint8_t* at = out.data();
  if (size > 0) i2d_X509(certificate, &at);
  return out;
}

Chain verify_chain(const TrustStore& trust, X509* leaf, STACK_OF(X509) * others,
                   const Verification& how) {
  auto parsed = parse_certificate(write_x509(leaf));
  if (!parsed) return stop(X509_V_ERR_CERT_REJECTED, std::move(parsed).error());
  if (auto ok = check_leaf(*parsed, how); !ok) return std::unexpected(std::move(ok).error());
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (!context ||
      X509_STORE_CTX_init(context.get(), trust.store().store.get(), leaf, others) != 1) {
    return stop(
        X509_V_ERR_OUT_OF_MEM,
        {Code::internal, "certificate checking cannot start: " + openssl_reason(), {}, {}, {}});
  }
  configure(context.get(), how);
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    const int depth = X509_STORE_CTX_get_error_depth(context.get());
    ERR_clear_error();
    return stop(error, described(error, depth, *parsed));
  }
  return check_cas(X509_STORE_CTX_get0_chain(context.get()), *parsed);
}

TrustStore::TrustStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}
TrustStore::~TrustStore() = default;
const std::vector<Certificate>& TrustStore::cas() const {
  return store_->cas;
}

Result<std::shared_ptr<const TrustStore>> TrustStore::make(const std::vector<Bytes>& cas_der) {
  auto made = std::make_unique<Store>();
  made->store.reset(X509_STORE_new());
  for (const Bytes& der : cas_der) {
    Certificate ca = TRY(parse_certificate(der));
    TRY(check_ca_profile(ca));
    const X509Ptr x509 = read_x509(der);
    if (!x509 || X509_STORE_add_cert(made->store.get(), x509.get()) != 1) {
      return openssl_fail(Code::certificate_invalid, "CA \"" + ca.subject + "\" cannot be read");
    }
    made->cas.push_back(std::move(ca));
  }
  return std::shared_ptr<const TrustStore>(new TrustStore(std::move(made)));
}

Result<std::vector<Bytes>> TrustStore::verify(View leaf_der, const std::vector<Bytes>& others,
                                              const Verification& how) const {
  const X509Ptr leaf = read_x509(leaf_der);
  if (!leaf) return fail(Code::certificate_invalid, "not a certificate");
  if (others.size() > kChainOthersMax) {
    return fail(Code::certificate_invalid, "the chain has too many certificates");
  }
  const X509StackPtr stack(sk_X509_new_null());
  for (const Bytes& der : others) {
    X509Ptr other = read_x509(der);
    if (!other) return fail(Code::certificate_invalid, "its chain holds what is no certificate");
    if (sk_X509_push(stack.get(), other.get()) > 0) static_cast<void>(other.release());
  }
  auto chain = verify_chain(*this, leaf.get(), stack.get(), how);
  if (!chain) return std::unexpected(std::move(chain).error().why);
  return *std::move(chain);
}

}  // namespace holdfast::crypto
