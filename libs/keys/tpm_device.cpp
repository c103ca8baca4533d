#include "libs/keys/tpm_device.hpp"

#include <functional>

#include "libs/base/guarded.hpp"
#include "libs/crypto/aead.hpp"
#include "libs/crypto/x509.hpp"
#include "libs/keys/tpm_templates.hpp"
#include "libs/keys/tss.hpp"

namespace holdfast::keys {
namespace {

constexpr TPM2_HANDLE kRsaCertificate = 0x01C00002;
constexpr TPM2_HANDLE kEccCertificate = 0x01C0000A;
constexpr std::size_t kNvBytesMax = 8 * 1024;
constexpr std::size_t kNvPart = 512;  // every TPM reads this much at once
constexpr std::size_t kFlushesMax = 32;

// A connection and what is loaded through it. One thread at a time.
class Connection {
 public:
  explicit Connection(std::shared_ptr<const Tss> tss) : tss_(std::move(tss)) {}
  ~Connection() {
    if (esys_ != nullptr) {
      unload();
      tss_->Finalize(&esys_);
    }
    if (tcti_ != nullptr) tss_->tcti_finalize(&tcti_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static Result<std::unique_ptr<Connection>> open(const std::shared_ptr<const Tss>& tss,
                                                  const std::string& tcti) {
    auto made = std::make_unique<Connection>(tss);
    TRY(made->check(tss->tcti_initialize(tcti.c_str(), &made->tcti_), "opening " + tcti));
    TRY(made->check(tss->Initialize(&made->esys_, made->tcti_, nullptr), "starting"));
    TRY(made->flush_all());
    return made;
  }

  Status check(TSS2_RC code, std::string_view doing) {
    if (code == TSS2_RC_SUCCESS) return {};
    lost_ = lost_ || tss_connection_lost(code);
    return std::unexpected(tss_error(code, doing));
  }
  bool lost() const { return lost_; }
  ESYS_CONTEXT* esys() const { return esys_; }
  const Tss& tss() const { return *tss_; }

  // What Esys allocates, freed at the end of the scope.
  struct Freed {
    const Tss* tss;
    void operator()(void* held) const { tss->Free(held); }
  };
  template <class T>
  std::unique_ptr<T, Freed> own(T* held) const {
    return std::unique_ptr<T, Freed>(held, Freed{tss_.get()});
  }
  // An object inside the TPM, flushed at the end of the scope.
  struct Flushed {
    Connection* connection = nullptr;
    ESYS_TR handle = ESYS_TR_NONE;
    Flushed(Connection& at, ESYS_TR held) : connection(&at), handle(held) {}
    Flushed(Flushed&& other) noexcept
        : connection(other.connection), handle(std::exchange(other.handle, ESYS_TR_NONE)) {}
    Flushed& operator=(Flushed&&) = delete;
    ~Flushed() {
      if (handle != ESYS_TR_NONE) connection->tss_->FlushContext(connection->esys_, handle);
    }
  };

  Result<Flushed> primary(ESYS_TR hierarchy, const TPM2B_PUBLIC& in, Bytes* public_area = nullptr) {
    const TPM2B_SENSITIVE_CREATE sensitive{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    ESYS_TR handle = ESYS_TR_NONE;
    TPM2B_PUBLIC* made = nullptr;
    TRY(check(tss_->CreatePrimary(esys_, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                  &sensitive, &in, &outside, &pcrs, &handle, &made, nullptr,
                                  nullptr, nullptr),
              "making a primary key"));
    Flushed held(*this, handle);
    const auto owned = own(made);
    if (public_area != nullptr) *public_area = TRY(bytes_of_public(*made));
    return held;
  }

  // The key of a blob; the last one stays loaded, for devices sign with one key again and again.
  Result<ESYS_TR> load(const TpmDevice::Blob& blob) {
    if (loaded_ != ESYS_TR_NONE && loaded_blob_ == blob) return loaded_;
    unload();
    ESYS_TR handle = TRY(load_fresh(blob));
    loaded_ = handle;
    loaded_blob_ = blob;
    return handle;
  }
  Result<ESYS_TR> load_fresh(const TpmDevice::Blob& blob) {
    TPM2B_PUBLIC public_area{};
    TPM2B_PRIVATE private_area{};
    std::size_t at = 0;
    if (tss_->get_public(blob.public_area.data(), blob.public_area.size(), &at, &public_area) !=
            TSS2_RC_SUCCESS ||
        at != blob.public_area.size()) {
      return fail(Code::corrupt, "a TPM key's public area cannot be read");
    }
    at = 0;
    if (tss_->get_private(blob.private_area.data(), blob.private_area.size(), &at, &private_area) !=
            TSS2_RC_SUCCESS ||
        at != blob.private_area.size()) {
      return fail(Code::corrupt, "a TPM key's private area cannot be read");
    }
    const Flushed root = TRY(primary(ESYS_TR_RH_OWNER, storage_root_template()));
    ESYS_TR handle = ESYS_TR_NONE;
    TRY(check(tss_->Load(esys_, root.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                         &private_area, &public_area, &handle),
              "loading a key"));
    return handle;
  }
  void unload() {
    if (loaded_ != ESYS_TR_NONE) tss_->FlushContext(esys_, loaded_);
    loaded_ = ESYS_TR_NONE;
  }

  Result<TpmDevice::Blob> create(const TPM2B_PUBLIC& in, View secret) {
    unload();  // a bare TPM has three slots
    TPM2B_SENSITIVE_CREATE sensitive{};
    TRY(fill_sized(sensitive.sensitive.data, sensitive.sensitive.data.buffer, kSealedBytesMax,
                   secret));
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    const Flushed root = TRY(primary(ESYS_TR_RH_OWNER, storage_root_template()));
    TPM2B_PRIVATE* private_area = nullptr;
    TPM2B_PUBLIC* public_area = nullptr;
    const auto code =
        tss_->Create(esys_, root.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                     &in, &outside, &pcrs, &private_area, &public_area, nullptr, nullptr, nullptr);
    crypto::wipe({reinterpret_cast<std::uint8_t*>(&sensitive), sizeof sensitive});
    TRY(check(code, "making a key"));
    const auto owned_private = own(private_area);
    const auto owned_public = own(public_area);
    TpmDevice::Blob out;
    out.public_area = TRY(bytes_of_public(*public_area));
    out.private_area.resize(sizeof(TPM2B_PRIVATE));
    std::size_t size = 0;
    TRY(check(
        tss_->put_private(private_area, out.private_area.data(), out.private_area.size(), &size),
        "writing a key"));
    out.private_area.resize(size);
    return out;
  }

  Result<Bytes> bytes_of_public(const TPM2B_PUBLIC& area) {
    Bytes out(sizeof(TPM2B_PUBLIC));
    std::size_t size = 0;
    TRY(check(tss_->put_public(&area, out.data(), out.size(), &size), "writing a public area"));
    out.resize(size);
    return out;
  }

  // Of an NV index that anybody may read with empty authorisation; nothing when there is none.
  Result<Bytes> read_nv(TPM2_HANDLE index) {
    ESYS_TR handle = ESYS_TR_NONE;
    if (tss_->TR_FromTPMPublic(esys_, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle) !=
        TSS2_RC_SUCCESS) {
      return Bytes();
    }
    TPM2B_NV_PUBLIC* area = nullptr;
    const auto code = tss_->NV_ReadPublic(esys_, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                          &area, nullptr);
    Bytes out;
    if (code == TSS2_RC_SUCCESS) {
      const std::size_t size = std::min<std::size_t>(area->nvPublic.dataSize, kNvBytesMax);
      tss_->Free(area);
      while (out.size() < size) {
        TPM2B_MAX_NV_BUFFER* part = nullptr;
        const auto wanted = static_cast<std::uint16_t>(std::min(kNvPart, size - out.size()));
        if (tss_->NV_Read(esys_, handle, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                          wanted, static_cast<std::uint16_t>(out.size()),
                          &part) != TSS2_RC_SUCCESS) {
          out.clear();
          break;
        }
        append(out, View(part->buffer, part->size));
        tss_->Free(part);
      }
    }
    tss_->TR_Close(esys_, &handle);
    return out;
  }

 private:
  // What a process that died left behind on a bare TPM; behind a resource manager we see our own
  // only.
  Status flush_all() {
    for (std::size_t i = 0; i < kFlushesMax; ++i) {
      TPMS_CAPABILITY_DATA* data = nullptr;
      TPMI_YES_NO more = TPM2_NO;
      TRY(check(tss_->GetCapability(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                    TPM2_CAP_HANDLES, TPM2_TRANSIENT_FIRST, 1, &more, &data),
                "asking what is loaded"));
      const auto owned = own(data);
      if (data->data.handles.count == 0) return {};
      ESYS_TR handle = ESYS_TR_NONE;
      TRY(check(tss_->TR_FromTPMPublic(esys_, data->data.handles.handle[0], ESYS_TR_NONE,
                                       ESYS_TR_NONE, ESYS_TR_NONE, &handle),
                "looking at what is loaded"));
      TRY(check(tss_->FlushContext(esys_, handle), "flushing what was left behind"));
    }
    return {};
  }

  std::shared_ptr<const Tss> tss_;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR loaded_ = ESYS_TR_NONE;
  TpmDevice::Blob loaded_blob_;
  bool lost_ = false;
};

Result<Bytes> raw_signature(const TPMT_SIGNATURE& signature, std::size_t width) {
  if (signature.sigAlg != TPM2_ALG_ECDSA)
    return fail(Code::key_store_unavailable, "TPM: a signature of another kind");
  const auto& ecdsa = signature.signature.ecdsa;
  Bytes out;
  for (const auto* number : {&ecdsa.signatureR, &ecdsa.signatureS}) {
    if (number->size > width)
      return fail(Code::key_store_unavailable, "TPM: a signature of a wrong size");
    out.resize(out.size() + width - number->size);
    append(out, View(number->buffer, number->size));
  }
  return out;
}

TPML_PCR_SELECTION selection_of(const std::vector<unsigned>& pcrs) {
  TPML_PCR_SELECTION out{};
  out.count = 1;
  out.pcrSelections[0].hash = TPM2_ALG_SHA256;
  out.pcrSelections[0].sizeofSelect = 3;
  for (const unsigned pcr : pcrs) {
    auto& byte = out.pcrSelections[0].pcrSelect[pcr / 8];
    byte = static_cast<std::uint8_t>(byte | 1U << (pcr % 8));
  }
  return out;
}

class EsysDevice final : public TpmDevice {
 public:
  EsysDevice(std::shared_ptr<const Tss> tss, std::string tcti)
      : tss_(std::move(tss)), tcti_(std::move(tcti)) {}

  const std::string& name() const override { return tcti_; }
  Status touch() {
    return with([](Connection&) -> Status { return {}; });
  }

  Result<Blob> create_key(crypto::KeyAlgorithm algorithm) override {
    if (algorithm != crypto::KeyAlgorithm::p256 && algorithm != crypto::KeyAlgorithm::p384) {
      return fail(Code::unsupported, "keys in a TPM are P-256 or P-384");
    }
    return with([&](Connection& at) { return at.create(signing_template(algorithm), View()); });
  }

  Result<Bytes> sign(const Blob& key, View digest) override {
    return with([&](Connection& at) -> Result<Bytes> {
      TPM2B_DIGEST in{};
      TRY(fill_sized(in, in.buffer, sizeof in.buffer, digest));
      TPMT_SIG_SCHEME scheme{};
      scheme.scheme = TPM2_ALG_ECDSA;
      scheme.details.ecdsa.hashAlg = digest.size() == 32   ? TPM2_ALG_SHA256
                                     : digest.size() == 48 ? TPM2_ALG_SHA384
                                                           : TPM2_ALG_SHA512;
      TPMT_TK_HASHCHECK ticket{};
      ticket.tag = TPM2_ST_HASHCHECK;
      ticket.hierarchy = TPM2_RH_NULL;
      const auto area = TRY(tpm::parse_public(key.public_area));
      const ESYS_TR handle = TRY(at.load(key));
      TPMT_SIGNATURE* made = nullptr;
      TRY(at.check(at.tss().Sign(at.esys(), handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &in, &scheme, &ticket, &made),
                   "signing"));
      const auto owned = at.own(made);
      return raw_signature(*made, area.x.size());
    });
  }

  Result<Endorsement> endorsement() override {
    return with([&](Connection& at) -> Result<Endorsement> {
      at.unload();
      Endorsement out;
      out.certificate_der = TRY(at.read_nv(kRsaCertificate));
      const bool rsa = !out.certificate_der.empty();
      if (!rsa) out.certificate_der = TRY(at.read_nv(kEccCertificate));
      const auto made = TRY(at.primary(
          ESYS_TR_RH_ENDORSEMENT, rsa ? rsa_endorsement_template() : ecc_endorsement_template(),
          &out.public_area));
      // Some are padded to the size of their index, some are for a key of another template.
      trim_certificate(out.certificate_der);
      const auto certificate = crypto::parse_certificate(out.certificate_der);
      const auto key = tpm::key_of(TRY(tpm::parse_public(out.public_area)));
      if (!certificate || !key || certificate->spki_der != key->spki_der())
        out.certificate_der.clear();
      return out;
    });
  }

  Result<Bytes> attestation_public() override {
    return with([&](Connection& at) -> Result<Bytes> {
      at.unload();
      Bytes out;
      const auto made = TRY(at.primary(ESYS_TR_RH_ENDORSEMENT, attestation_template(), &out));
      return out;
    });
  }

  Result<Bytes> activate(View id_object, View encrypted_secret) override {
    return with([&](Connection& at) -> Result<Bytes> {
      at.unload();
      TPM2B_ID_OBJECT blob{};
      TPM2B_ENCRYPTED_SECRET secret{};
      TRY(fill_tpm2b(blob, blob.credential, sizeof blob.credential, id_object));
      TRY(fill_tpm2b(secret, secret.secret, sizeof secret.secret, encrypted_secret));
      const bool rsa = secret.size == 256;
      const auto ek = TRY(at.primary(
          ESYS_TR_RH_ENDORSEMENT, rsa ? rsa_endorsement_template() : ecc_endorsement_template()));
      const auto ak = TRY(at.primary(ESYS_TR_RH_ENDORSEMENT, attestation_template()));
      const auto session = TRY(endorsement_session(at));
      TPM2B_DIGEST* found = nullptr;
      TRY(at.check(
          at.tss().ActivateCredential(at.esys(), ak.handle, ek.handle, ESYS_TR_PASSWORD,
                                      session.handle, ESYS_TR_NONE, &blob, &secret, &found),
          "activating a credential"));
      const auto owned = at.own(found);
      return Bytes(found->buffer, found->buffer + found->size);
    });
  }

  Result<Said> certify(const Blob& key, View nonce) override {
    return with([&](Connection& at) -> Result<Said> {
      const ESYS_TR subject = TRY(at.load(key));
      const auto ak = TRY(at.primary(ESYS_TR_RH_ENDORSEMENT, attestation_template()));
      TPM2B_DATA data{};
      TRY(fill_sized(data, data.buffer, sizeof data.buffer, nonce));
      TPMT_SIG_SCHEME scheme{};
      scheme.scheme = TPM2_ALG_NULL;
      TPM2B_ATTEST* attest = nullptr;
      TPMT_SIGNATURE* signature = nullptr;
      TRY(at.check(
          at.tss().Certify(at.esys(), subject, ak.handle, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD,
                           ESYS_TR_NONE, &data, &scheme, &attest, &signature),
          "certifying a key"));
      return said_of(at, attest, signature);
    });
  }

  Result<Quote> quote(View nonce, const std::vector<unsigned>& pcrs) override {
    return with([&](Connection& at) -> Result<Quote> {
      at.unload();
      Quote out;
      out.values = TRY(read_pcrs(at, pcrs));
      const auto ak = TRY(at.primary(ESYS_TR_RH_ENDORSEMENT, attestation_template()));
      TPM2B_DATA data{};
      TRY(fill_sized(data, data.buffer, sizeof data.buffer, nonce));
      TPMT_SIG_SCHEME scheme{};
      scheme.scheme = TPM2_ALG_NULL;
      const TPML_PCR_SELECTION selection = selection_of(pcrs);
      TPM2B_ATTEST* attest = nullptr;
      TPMT_SIGNATURE* signature = nullptr;
      TRY(at.check(at.tss().Quote(at.esys(), ak.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                  ESYS_TR_NONE, &data, &scheme, &selection, &attest, &signature),
                   "quoting"));
      out.said = TRY(said_of(at, attest, signature));
      return out;
    });
  }

  Result<Blob> seal(View secret) override {
    if (secret.empty() || secret.size() > kSealedBytesMax) {
      return fail(Code::invalid_argument, "a TPM seals 1 to 128 bytes");
    }
    return with([&](Connection& at) { return at.create(sealed_template(), secret); });
  }

  Result<Bytes> unseal(const Blob& sealed) override {
    return with([&](Connection& at) -> Result<Bytes> {
      at.unload();
      const Connection::Flushed object(at, TRY(at.load_fresh(sealed)));
      TPM2B_SENSITIVE_DATA* data = nullptr;
      TRY(at.check(at.tss().Unseal(at.esys(), object.handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                   ESYS_TR_NONE, &data),
                   "unsealing"));
      const auto owned = at.own(data);
      Bytes out(data->buffer, data->buffer + data->size);
      crypto::wipe({data->buffer, data->size});
      return out;
    });
  }

 private:
  // Runs on a connection, made first where there is none; one that broke is not kept.
  template <class Act>
  auto with(Act act) -> decltype(act(std::declval<Connection&>())) {
    return connection_.with([&](std::unique_ptr<Connection>& held) -> decltype(act(*held)) {
      if (!held) held = TRY(Connection::open(tss_, tcti_));
      auto result = act(*held);
      if (held->lost()) held.reset();
      return result;
    });
  }

  template <class Sized>
  static Status fill_tpm2b(Sized& out, std::uint8_t* buffer, std::size_t most, View tpm2b) {
    if (tpm2b.size() < 2 || load_be<std::uint16_t>(tpm2b.data()) + 2U != tpm2b.size()) {
      return fail(Code::invalid_argument, "not one sized structure");
    }
    return fill_sized(out, buffer, most, tpm2b.subspan(2));
  }

  static void trim_certificate(Bytes& der) {
    if (der.size() < 4 || der[0] != 0x30 || der[1] != 0x82) return;
    const std::size_t size = 4U + load_be<std::uint16_t>(der.data() + 2);
    if (size < der.size()) der.resize(size);
  }

  static Result<Connection::Flushed> endorsement_session(Connection& at) {
    TPMT_SYM_DEF symmetric{};
    symmetric.algorithm = TPM2_ALG_NULL;
    ESYS_TR handle = ESYS_TR_NONE;
    TRY(at.check(at.tss().StartAuthSession(at.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                           ESYS_TR_NONE, ESYS_TR_NONE, nullptr, TPM2_SE_POLICY,
                                           &symmetric, TPM2_ALG_SHA256, &handle),
                 "starting a session"));
    Connection::Flushed session(at, handle);
    TRY(at.check(at.tss().PolicySecret(at.esys(), ESYS_TR_RH_ENDORSEMENT, handle, ESYS_TR_PASSWORD,
                                       ESYS_TR_NONE, ESYS_TR_NONE, nullptr, nullptr, nullptr, 0,
                                       nullptr, nullptr),
                 "meeting the endorsement policy"));
    return session;
  }

  static Result<Said> said_of(Connection& at, TPM2B_ATTEST* attest, TPMT_SIGNATURE* signature) {
    const auto owned_attest = at.own(attest);
    const auto owned_signature = at.own(signature);
    Said out{Bytes(attest->attestationData, attest->attestationData + attest->size),
             Bytes(sizeof(TPMT_SIGNATURE))};
    std::size_t size = 0;
    TRY(at.check(
        at.tss().put_signature(signature, out.signature.data(), out.signature.size(), &size),
        "writing a signature"));
    out.signature.resize(size);
    return out;
  }

  // A TPM reads at most eight at once, and says which it read.
  static Result<tpm::PcrValues> read_pcrs(Connection& at, const std::vector<unsigned>& pcrs) {
    tpm::PcrValues out;
    for (const unsigned pcr : pcrs) {
      if (pcr >= tpm::kPcrsMax) return fail(Code::invalid_argument, "there are PCRs 0 to 23");
      const TPML_PCR_SELECTION selection = selection_of({pcr});
      TPML_DIGEST* values = nullptr;
      TRY(at.check(at.tss().PCR_Read(at.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                     &selection, nullptr, nullptr, &values),
                   "reading PCRs"));
      const auto owned = at.own(values);
      if (values->count != 1 || values->digests[0].size != 32) {
        return fail(Code::key_store_unavailable, "TPM: it has no PCRs with SHA-256");
      }
      std::copy_n(values->digests[0].buffer, 32, out[pcr].begin());
    }
    return out;
  }

  const std::shared_ptr<const Tss> tss_;
  const std::string tcti_;
  Guarded<std::unique_ptr<Connection>> connection_;
};

}  // namespace

Result<std::shared_ptr<TpmDevice>> open_tpm(const std::string& tcti) {
  auto device = std::make_shared<EsysDevice>(TRY(load_tss()), tcti);
  TRY(device->touch());
  return std::shared_ptr<TpmDevice>(std::move(device));
}

}  // namespace holdfast::keys
