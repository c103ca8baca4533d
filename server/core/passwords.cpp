#include "server/core/passwords.hpp"

#include <argon2.h>

#include <array>

#include "libs/crypto/aead.hpp"

namespace holdfast::core {

namespace {

constexpr std::size_t kPasswordSaltBytes = 16;
constexpr std::size_t kPasswordHashBytes = 32;
constexpr std::size_t kEncodedBytesMax = 256;

}  // namespace

Passwords::Passwords(os::Entropy& entropy, os::Threads& threads, Metrics& metrics, unsigned at_once,
                     unsigned waiting_max, PasswordCosts costs)
    : entropy_(entropy),
      costs_(costs),
      waiting_max_(waiting_max),
      refused_(metrics.counter("holdfast_password_checks_refused_total",
                               "Password checks refused: too many waited")),
      workers_(threads.start_workers("passwords", at_once, waiting_max + 8)) {}

Status Passwords::on_worker(const std::function<void()>& work) {
  if (waiting_.fetch_add(1) >= waiting_max_) {
    waiting_.fetch_sub(1);
    refused_.add();
    return fail(Code::overloaded, "too many passwords are being checked: try again in a moment");
  }
  workers_->call([&] { work(); });
  waiting_.fetch_sub(1);
  return {};
}

Result<std::string> Passwords::hash(std::string_view password) {
  const Bytes salt = entropy_.bytes(kPasswordSaltBytes);
  std::array<char, kEncodedBytesMax> encoded{};
  int code = ARGON2_OK;
  TRY(on_worker([&] {
    code = argon2id_hash_encoded(costs_.passes, costs_.memory_kib, 1, password.data(),
                                 password.size(), salt.data(), salt.size(), kPasswordHashBytes,
                                 encoded.data(), encoded.size());
  }));
  if (code != ARGON2_OK) {
    return fail(Code::unavailable,
                std::string("hashing a password failed: ") + argon2_error_message(code));
  }
  return std::string(encoded.data());
}

Result<bool> Passwords::fits(std::string_view encoded, std::string_view password) {
  if (encoded.empty()) {
    TRY(hash(password));
    return false;
  }
  const std::string text(encoded);
  int code = ARGON2_OK;
  TRY(on_worker([&] { code = argon2id_verify(text.c_str(), password.data(), password.size()); }));
  if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
    return fail(Code::unavailable, "no memory to check a password");
  return code == ARGON2_OK;
}

}  // namespace holdfast::core
