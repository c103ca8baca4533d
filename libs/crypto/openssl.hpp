// The only door to OpenSSL's headers: owning pointers and its error queue as our Error.
// Private to libs/crypto: include it in .cpp files only.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"

namespace holdfast::crypto {

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Freeing<EVP_PKEY_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, Freeing<EVP_MD_CTX_free>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, Freeing<EVP_CIPHER_CTX_free>>;
using BigNumPtr = std::unique_ptr<BIGNUM, Freeing<BN_clear_free>>;
using X509Ptr = std::unique_ptr<X509, Freeing<X509_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, Freeing<X509_STORE_free>>;
using X509StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, Freeing<X509_STORE_CTX_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freeing<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freeing<SSL_SESSION_free>>;
using BioMethodPtr = std::unique_ptr<BIO_METHOD, Freeing<BIO_meth_free>>;

struct FreeX509Stack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using X509StackPtr = std::unique_ptr<STACK_OF(X509), FreeX509Stack>;

// The newest reason of OpenSSL's error queue, which it empties: "wrong tag".
inline std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

inline std::unexpected<Error> openssl_fail(Code code, std::string what) {
  return fail(code, std::move(what) + ": " + openssl_reason());
}

}  // namespace holdfast::crypto
