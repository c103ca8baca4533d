#include "libs/crypto/tls_errors.hpp"

#include <openssl/sslerr.h>

namespace holdfast::crypto {
namespace {

struct ReasonRow {
  int reason;  // SSL_R_...; 1000 + n is the peer's alert n (RFC 8446 6.2)
  Code code;
  const char* message;
};
constexpr ReasonRow kReasons[] = {
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, Code::certificate_required,
     "the client sent no certificate"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, Code::certificate_required,
     "the server wants a client certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, Code::certificate_expired,
     "the peer says that our certificate has expired"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, Code::certificate_revoked,
     "the peer says that our certificate is revoked"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, Code::certificate_invalid,
     "the peer does not accept our certificate"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, Code::certificate_invalid,
     "the peer does not accept our kind of certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, Code::certificate_invalid,
     "the peer does not accept our certificate"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, Code::certificate_invalid,
     "the peer does not know the CA of our certificate"},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, Code::forbidden, "the peer denies access"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, Code::tls_failed,
     "the peer speaks no TLS version of ours"},
    {SSL_R_UNSUPPORTED_PROTOCOL, Code::tls_failed, "the peer speaks no TLS version of ours"},
    {SSL_R_VERSION_TOO_LOW, Code::tls_failed, "the peer speaks no TLS version of ours"},
    {SSL_R_HTTP_REQUEST, Code::tls_failed, "the peer speaks HTTP without TLS; use https"},
    {SSL_R_WRONG_VERSION_NUMBER, Code::tls_failed, "the peer does not speak TLS"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, Code::closed,
     "the peer closed the connection without saying so"},
};

Error simple(Code code, std::string message) {
  return {code, std::move(message), {}, {}, {}};
}

}  // namespace

Error tls_error(const SSL* ssl, int outcome) {
  switch (SSL_get_error(ssl, outcome)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return simple(Code::would_block, "the socket is not ready");
    case SSL_ERROR_ZERO_RETURN:
      return simple(Code::closed, "the peer closed the connection");
    case SSL_ERROR_SSL:
      break;
    default:
      ERR_clear_error();
      return simple(Code::closed, "the connection broke");
  }
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  for (const ReasonRow& row : kReasons) {
    if (row.reason != reason) continue;
    ERR_clear_error();
    return simple(row.code, row.message);
  }
  return simple(Code::tls_failed, "TLS: " + openssl_reason());
}

}  // namespace holdfast::crypto
