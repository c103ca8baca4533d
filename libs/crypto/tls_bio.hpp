// OpenSSL's reading and writing straight on an os::Stream: no buffer between them, so an idle
// connection costs no more than with SSL_set_fd, and a broken pipe raises no signal.
// Private to libs/crypto; .cpp files only.
#pragma once

#include "libs/crypto/openssl.hpp"
#include "libs/os/network.hpp"

namespace holdfast::crypto {

// Made once a transport; each BIO needs it as long as it lives.
Result<BioMethodPtr> make_stream_bio_method();
// The stream must outlive the BIO. Null when memory is out.
BIO* make_stream_bio(const BIO_METHOD* method, os::Stream& stream);

}  // namespace holdfast::crypto
