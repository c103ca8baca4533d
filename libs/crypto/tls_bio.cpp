#include "libs/crypto/tls_bio.hpp"

namespace holdfast::crypto {
namespace {

os::Stream& stream_of(BIO* bio) {
  return *static_cast<os::Stream*>(BIO_get_data(bio));
}

int read_bio(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  auto count =
      stream_of(bio).read({reinterpret_cast<std::uint8_t*>(into), static_cast<std::size_t>(size)});
  if (count && *count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  if (count) return static_cast<int>(*count);
  if (count.error().code == Code::would_block) BIO_set_retry_read(bio);
  return -1;
}

int write_bio(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  auto count = stream_of(bio).write(
      {reinterpret_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size)});
  if (count) return static_cast<int>(*count);
  if (count.error().code == Code::would_block) BIO_set_retry_write(bio);
  return -1;
}

long control_bio(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default:
      return 0;
  }
}

}  // namespace

Result<BioMethodPtr> make_stream_bio_method() {
  BioMethodPtr method(BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "holdfast stream"));
  if (!method || BIO_meth_set_read(method.get(), read_bio) != 1 ||
      BIO_meth_set_write(method.get(), write_bio) != 1 ||
      BIO_meth_set_ctrl(method.get(), control_bio) != 1) {
    return openssl_fail(Code::internal, "OpenSSL has no room for a kind of stream");
  }
  return method;
}

BIO* make_stream_bio(const BIO_METHOD* method, os::Stream& stream) {
  BIO* bio = BIO_new(method);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &stream);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace holdfast::crypto
