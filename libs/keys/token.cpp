#include "libs/keys/token.hpp"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "libs/base/guarded.hpp"
#include "libs/crypto/aead.hpp"
#include "libs/crypto/der.hpp"
#include "libs/crypto/outside_key.hpp"
#include "libs/keys/key_names.hpp"

namespace holdfast::keys {
namespace {

namespace der = crypto::der;

constexpr std::size_t kPinBytesMax = 256;
constexpr std::size_t kSlotsMax = 64;
constexpr std::size_t kObjectsMax = 256;
constexpr std::size_t kPointBytesMax = 256;
constexpr std::string_view kCurveP256Oid = "1.2.840.10045.3.1.7";
constexpr std::string_view kCurveP384Oid = "1.3.132.0.34";

Error token_error(CK_RV code, const std::string& token, std::string_view doing) {
  std::array<char, 16> number{};
  std::snprintf(number.data(), number.size(), "0x%lx", code);
  const std::string what = "token \"" + token + "\", " + std::string(doing) + ": ";
  const auto error = [&](Code ours, std::string_view why) {
    return Error{ours, what + std::string(why) + " (" + number.data() + ")", {}, {}, {}};
  };
  switch (code) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
      return error(Code::key_store_locked, "the PIN is wrong");
    case CKR_PIN_LOCKED:
      return error(Code::key_store_locked, "its PIN is locked after too many wrong ones");
    case CKR_PIN_EXPIRED:
      return error(Code::key_store_locked, "its PIN must be changed first");
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
      return error(Code::key_store_unavailable, "it is not there");
    default:
      return error(Code::key_store_unavailable, "it refuses");
  }
}

// After these the session is of no use any more.
bool session_lost(CK_RV code) {
  switch (code) {
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_SLOT_ID_INVALID:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_DEVICE_ERROR:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_KEY_HANDLE_INVALID:
      return true;
    default:
      return false;
  }
}

Result<CK_FUNCTION_LIST*> load_module(const std::string& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  auto* list = library == nullptr
                   ? nullptr
                   : reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (list == nullptr || list(&functions) != CKR_OK) {
    return fail(Code::key_store_unavailable, "the PKCS#11 module " + path + " cannot be loaded");
  }
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV code = functions->C_Initialize(&arguments);
  if (code != CKR_OK && code != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return std::unexpected(token_error(code, path, "starting the module"));
  }
  return functions;
}

template <class T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof value};
}
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, View bytes) {
  return {type, const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

// A session that is logged in. One thread at a time.
class Session {
 public:
  Session(CK_FUNCTION_LIST* functions, const TokenOptions& options, std::uint64_t number)
      : f_(functions), options_(options), number_(number) {}
  ~Session() {
    if (handle_ != CK_INVALID_HANDLE) f_->C_CloseSession(handle_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Status open(os::Files& files) {
    const CK_SLOT_ID slot = TRY(find_slot());
    TRY(check(
        f_->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &handle_),
        "opening a session"));
    auto read = os::read_file(files, options_.pin_file, kPinBytesMax);
    if (!read)
      return std::unexpected(with_context(std::move(read), "reading the PIN of the token").error());
    Bytes pin = *std::move(read);
    const auto end =
        std::find_if(pin.begin(), pin.end(), [](std::uint8_t c) { return c == '\n' || c == '\r'; });
    const CK_RV code =
        f_->C_Login(handle_, CKU_USER, pin.data(), static_cast<CK_ULONG>(end - pin.begin()));
    crypto::wipe(pin);
    if (code == CKR_USER_ALREADY_LOGGED_IN) return {};
    return check(code, "logging in");
  }

  Status check(CK_RV code, std::string_view doing) {
    if (code == CKR_OK) return {};
    lost_ = lost_ || session_lost(code);
    return std::unexpected(token_error(code, options_.token, doing));
  }
  bool lost() const { return lost_; }
  std::uint64_t number() const { return number_; }  // of all sessions of this token, from 1

  Result<std::vector<CK_OBJECT_HANDLE>> find(CK_OBJECT_CLASS kind,
                                             const std::optional<std::string>& label) {
    CK_KEY_TYPE type = CKK_EC;
    std::vector<CK_ATTRIBUTE> wanted{attribute(CKA_CLASS, kind), attribute(CKA_KEY_TYPE, type)};
    if (label) wanted.push_back(attribute(CKA_LABEL, view_of(*label)));
    TRY(check(f_->C_FindObjectsInit(handle_, wanted.data(), wanted.size()), "looking for keys"));
    std::vector<CK_OBJECT_HANDLE> found(kObjectsMax);
    CK_ULONG count = 0;
    const CK_RV code = f_->C_FindObjects(handle_, found.data(), found.size(), &count);
    f_->C_FindObjectsFinal(handle_);
    TRY(check(code, "looking for keys"));
    found.resize(count);
    return found;
  }
  Result<CK_OBJECT_HANDLE> find_one(CK_OBJECT_CLASS kind, const std::string& label) {
    const auto found = TRY(find(kind, label));
    if (found.size() == 1) return found.front();
    if (found.empty()) return fail(Code::not_found, "the token has no key \"" + label + "\"");
    return fail(Code::conflict,
                "the token has several keys \"" + label + "\": remove or rename all but one");
  }

  Result<Bytes> read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    Bytes out(kPointBytesMax);
    CK_ATTRIBUTE one{type, out.data(), out.size()};
    TRY(check(f_->C_GetAttributeValue(handle_, object, &one, 1), "reading a key"));
    out.resize(one.ulValueLen);
    return out;
  }

  Result<crypto::PublicKey> public_key(const std::string& label) {
    const auto object = TRY(find_one(CKO_PUBLIC_KEY, label));
    const Bytes curve = TRY(read(object, CKA_EC_PARAMS));
    const Bytes wrapped = TRY(read(object, CKA_EC_POINT));
    der::Reader reader(wrapped);
    const auto point = reader.take(der::kOctetString, "EC point");
    if (!point || !reader.done())
      return fail(Code::corrupt, "the token's key \"" + label + "\" has no point");
    return crypto::PublicKey::from_spki(der::sequence(
        {der::sequence({der::put_oid("1.2.840.10045.2.1"), curve}), der::put_bit_string(*point)}));
  }

  Status create(const std::string& label, crypto::KeyAlgorithm algorithm, View id) {
    const Bytes curve =
        der::put_oid(algorithm == crypto::KeyAlgorithm::p256 ? kCurveP256Oid : kCurveP384Oid);
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    std::array open_half{attribute(CKA_TOKEN, yes), attribute(CKA_VERIFY, yes),
                         attribute(CKA_EC_PARAMS, View(curve)),
                         attribute(CKA_LABEL, view_of(label)), attribute(CKA_ID, id)};
    std::array secret_half{attribute(CKA_TOKEN, yes),     attribute(CKA_PRIVATE, yes),
                           attribute(CKA_SENSITIVE, yes), attribute(CKA_EXTRACTABLE, no),
                           attribute(CKA_SIGN, yes),      attribute(CKA_LABEL, view_of(label)),
                           attribute(CKA_ID, id)};
    CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_OBJECT_HANDLE open_key = 0;
    CK_OBJECT_HANDLE secret_key = 0;
    return check(
        f_->C_GenerateKeyPair(handle_, &mechanism, open_half.data(), open_half.size(),
                              secret_half.data(), secret_half.size(), &open_key, &secret_key),
        "making a key");
  }

  Result<Bytes> sign(CK_OBJECT_HANDLE key, View digest) {
    CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
    TRY(check(f_->C_SignInit(handle_, &mechanism, key), "signing"));
    Bytes out(kPointBytesMax);
    CK_ULONG size = out.size();
    TRY(check(f_->C_Sign(handle_, const_cast<std::uint8_t*>(digest.data()), digest.size(),
                         out.data(), &size),
              "signing"));
    out.resize(size);
    return out;
  }

  Status rename(CK_OBJECT_HANDLE object, const std::string& label) {
    CK_ATTRIBUTE one = attribute(CKA_LABEL, view_of(label));
    return check(f_->C_SetAttributeValue(handle_, object, &one, 1), "renaming a key");
  }
  Status destroy(CK_OBJECT_HANDLE object) {
    return check(f_->C_DestroyObject(handle_, object), "removing a key");
  }

 private:
  Result<CK_SLOT_ID> find_slot() {
    CK_ULONG count = 0;
    // Without a list it counts, and looks again for what was put in since (PKCS#11 v2.40, 5.5).
    TRY(check(f_->C_GetSlotList(CK_TRUE, nullptr, &count), "looking for tokens"));
    std::vector<CK_SLOT_ID> slots(kSlotsMax);
    count = slots.size();
    TRY(check(f_->C_GetSlotList(CK_TRUE, slots.data(), &count), "listing tokens"));
    slots.resize(count);
    for (const CK_SLOT_ID slot : slots) {
      CK_TOKEN_INFO info{};
      if (f_->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
      std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
      label.resize(label.find_last_not_of(' ') + 1);
      if (label == options_.token) return slot;
    }
    return std::unexpected(token_error(CKR_TOKEN_NOT_PRESENT, options_.token, "looking for it"));
  }

  CK_FUNCTION_LIST* f_;
  const TokenOptions& options_;
  const std::uint64_t number_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  bool lost_ = false;
};

// The token, shared by its store and its keys.
class Token {
 public:
  Token(os::Files& files, CK_FUNCTION_LIST* functions, TokenOptions options)
      : files_(files), functions_(functions), options_(std::move(options)) {}

  // Once more on a fresh session when the old one turns out to be gone.
  template <class Act>
  auto with(Act act) -> decltype(act(std::declval<Session&>())) {
    return session_.with([&](std::unique_ptr<Session>& held) -> decltype(act(*held)) {
      for (int attempt = 0;; ++attempt) {
        if (!held) {
          auto fresh = std::make_unique<Session>(functions_, options_, ++sessions_);
          TRY(fresh->open(files_));
          held = std::move(fresh);
          attempt = 1;
        }
        auto result = act(*held);
        if (!held->lost()) return result;
        held.reset();
        if (attempt > 0) return result;
      }
    });
  }
  Status touch() {
    return with([](Session&) -> Status { return {}; });
  }

 private:
  os::Files& files_;
  CK_FUNCTION_LIST* const functions_;
  const TokenOptions options_;
  std::uint64_t sessions_ = 0;  // guarded by session_
  Guarded<std::unique_ptr<Session>> session_;
};

class TokenSigner final : public crypto::OutsideSigner {
 public:
  TokenSigner(std::shared_ptr<Token> token, std::string label)
      : token_(std::move(token)), label_(std::move(label)) {}

  Result<Bytes> sign_digest(View digest) override {
    return token_->with([&](Session& session) -> Result<Bytes> {
      // A handle is good for its session only, and a search costs more than a signature.
      if (session.number() != seen_) {
        key_ = TRY(session.find_one(CKO_PRIVATE_KEY, label_));
        seen_ = session.number();
      }
      auto made = session.sign(key_, digest);
      if (!made) seen_ = 0;
      return made;
    });
  }

 private:
  const std::shared_ptr<Token> token_;
  const std::string label_;
  // Guarded by the token's lock.
  std::uint64_t seen_ = 0;
  CK_OBJECT_HANDLE key_ = 0;
};

class TokenStore final : public KeyStore {
 public:
  TokenStore(std::shared_ptr<Token> token, os::Entropy& entropy)
      : token_(std::move(token)), entropy_(entropy) {}

  Result<StoredKey> create(std::string_view name, crypto::KeyAlgorithm algorithm) override {
    TRY(check_key_name(name));
    if (algorithm != crypto::KeyAlgorithm::p256 && algorithm != crypto::KeyAlgorithm::p384) {
      return fail(Code::unsupported, "keys in a token are P-256 or P-384");
    }
    const std::string label(name);
    const Bytes id = entropy_.bytes(16);
    TRY(token_->with([&](Session& session) -> Status {
      if (!TRY(session.find(CKO_PRIVATE_KEY, label)).empty()) {
        return fail(Code::already_exists, "there is a key \"" + label + "\" already");
      }
      return session.create(label, algorithm, id);
    }));
    return load(name);
  }

  Status put(std::string_view, const crypto::PrivateKey&) override {
    return fail(Code::unsupported, "keys of a token are born in it");
  }

  Result<StoredKey> load(std::string_view name) override {
    TRY(check_key_name(name));
    const std::string label(name);
    const auto key = TRY(token_->with([&](Session& session) -> Result<crypto::PublicKey> {
      TRY(session.find_one(CKO_PRIVATE_KEY, label));
      return session.public_key(label);
    }));
    return StoredKey{
        TRY(crypto::make_outside_key(key, std::make_shared<TokenSigner>(token_, label))),
        Evidence::secure_element};
  }

  // The old one of that name goes last: whatever happens in between, both names' keys still exist.
  Status rename(std::string_view from, std::string_view to) override {
    TRY(check_key_name(from));
    TRY(check_key_name(to));
    return token_->with([&](Session& session) -> Status {
      const std::string source(from);
      const std::string target(to);
      TRY(session.find_one(CKO_PRIVATE_KEY, source));
      for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
        const auto replaced = TRY(session.find(kind, target));
        for (const auto object : TRY(session.find(kind, source)))
          TRY(session.rename(object, target));
        for (const auto object : replaced) TRY(session.destroy(object));
      }
      return {};
    });
  }

  Status remove(std::string_view name) override {
    TRY(check_key_name(name));
    return token_->with([&](Session& session) -> Status {
      const std::string label(name);
      TRY(session.find_one(CKO_PRIVATE_KEY, label));
      for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
        for (const auto object : TRY(session.find(kind, label))) TRY(session.destroy(object));
      }
      return {};
    });
  }

  Result<std::vector<std::string>> list() override {
    return token_->with([&](Session& session) -> Result<std::vector<std::string>> {
      std::vector<std::string> out;
      const auto keys = TRY(session.find(CKO_PRIVATE_KEY, std::nullopt));
      for (const auto key : keys) {
        std::string label = string_of(TRY(session.read(key, CKA_LABEL)));
        if (check_key_name(label))
          out.push_back(std::move(label));  // others' keys have others' names
      }
      std::sort(out.begin(), out.end());
      return out;
    });
  }

 private:
  const std::shared_ptr<Token> token_;
  os::Entropy& entropy_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> open_token(os::Files& files, os::Entropy& entropy,
                                             TokenOptions options) {
  CK_FUNCTION_LIST* functions = TRY(load_module(options.module));
  auto token = std::make_shared<Token>(files, functions, std::move(options));
  TRY(token->touch());
  return std::unique_ptr<KeyStore>(new TokenStore(std::move(token), entropy));
}

}  // namespace holdfast::keys
