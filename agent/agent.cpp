#include "agent/agent.hpp"

#include <algorithm>

#include "libs/crypto/evidence.hpp"

namespace holdfast::agent {

namespace {

// docs/spec/certificates.md: enrolled by section 3.7 of the device protocol.
constexpr std::string_view kAttestedEvidence = "hardware-attested";

KeyOptions key_options_of(const config::Config& config) {
  using Store = KeyOptions::Store;
  KeyOptions out;
  const std::string& store = config.text("keys.store");
  out.store = store == "tpm"      ? Store::tpm
              : store == "pkcs11" ? Store::token
              : store == "file"   ? Store::file
                                  : Store::best;
  out.tcti = config.text("keys.tpm");
  out.token = {config.text("keys.module"), config.text("keys.token"), config.text("keys.pin_file")};
  return out;
}

}  // namespace

AgentOptions options_of(const config::Config& config, std::string version) {
  AgentOptions out;
  out.version = std::move(version);
  out.state = config.text("state");
  out.seal_path = config.text("seal.path");
  out.keys = key_options_of(config);
  out.settings.sample_interval = config.duration("sample.interval");
  out.settings.log_level = level_named(config.text("log.level")).value_or(Level::info);
  out.inventory_interval = config.duration("inventory.interval");
  out.spool_bytes = static_cast<std::uint64_t>(config.integer("spool.size"));
  out.keep_alive_s = static_cast<std::uint16_t>(config.duration("mqtt.keep_alive").us / 1'000'000);
  return out;
}

Result<std::unique_ptr<Agent>> Agent::open(os::System system, os::Loop& loop,
                                           crypto::Transport& transport, Probe& probe,
                                           AgentOptions options, Log::Sink log) {
  std::unique_ptr<Agent> agent(
      new Agent(system, loop, transport, probe, std::move(options), std::move(log)));
  TRY(agent->load());
  agent->make_link();
  return agent;
}

Agent::Agent(os::System system, os::Loop& loop, crypto::Transport& transport, Probe& probe,
             AgentOptions options, Log::Sink log)
    : system_(system),
      loop_(loop),
      transport_(transport),
      probe_(probe),
      options_(std::move(options)),
      sink_(std::move(log)),
      log_(sink_, options_.settings.log_level),
      applied_{options_.settings, {}},
      run_(system.entropy.number()),
      sessions_(crypto::make_client_sessions()) {}

Agent::~Agent() {
  *alive_ = false;
  for (const os::TimerId each : {sample_timer_, inventory_timer_, hold_timer_, time_timer_}) {
    loop_.cancel(each);
  }
}

Status Agent::load() {
  // Looked at first: a folder that was never joined is not made.
  if (StateFolder::erasing(system_.files, options_.state)) {
    const auto folder =
        TRY(StateFolder::open(system_, options_.state, options_.seal_path, options_.keys));
    TRY(with_context(folder->erase_identity(), "finishing the erasure of this machine"));
  }
  auto identity = TRY(StateFolder::read_identity(system_.files, options_.state));
  if (!identity) {
    return fail(Code::certificate_required,
                "this machine is not joined; make a code (holdfast enrol claim) and give it to: "
                "holdfast-agent join - --state " +
                    options_.state);
  }
  identity_ = *std::move(identity);
  auto lock = StateLock::take(system_.files, system_.clock.wall(), options_.state, "run");
  if (!lock && lock.error().code == Code::folder_locked) return std::unexpected(lock.error());
  if (lock) {
    lock_ = *std::move(lock);
  } else {  // a disk that is full or broken does not silence the device
    log_.warning("the state folder is not locked", {{"why", lock.error().text()}});
  }
  state_ = TRY(StateFolder::open(system_, options_.state, options_.seal_path, options_.keys));
  TRY(with_context(state_->credential(identity_.current), "the device's key"));
  if (const auto dropped = state_->drop_unused_keys(); !dropped) {
    log_.warning("old keys could not be removed", {{"why", dropped.error().text()}});
  }
  spool_ = TRY(Spool::open(system_.files, system_.entropy, os::join(options_.state, "spool"),
                           TRY(state_->derive_key("holdfast agent spool")), options_.spool_bytes));
  book_ = TRY(CommandBook::open(*state_));
  for (const CommandEntry& entry : book_->entries()) {
    if (!entry.delivered) replies_due_.push_back(entry.id);
  }
  desired_ = TRY(load_desired(*state_));
  use(apply_desired(desired_.state, options_.settings));
  return {};
}

void Agent::make_link() {
  SessionOptions session;
  session.keep_alive_s = options_.keep_alive_s;
  LinkHandlers handlers;
  handlers.settings = [this] { return client_settings(); };
  handlers.online = [this](const Online& online) { on_online(online); };
  handlers.acknowledged = [this](const Acknowledged& each) { on_acknowledged(each); };
  handlers.incoming = [this](const Incoming& message) { on_incoming(message); };
  handlers.down = [this](Ending ending, const std::string& why, Duration wait) {
    on_down(ending, why, wait);
  };
  // An address that cannot be read fails in connect(), with a message.
  const os::Endpoint server = os::parse_endpoint(identity_.mqtt).value_or(os::Endpoint{});
  link_ =
      std::make_unique<MqttLink>(system_, loop_, transport_, server, session, std::move(handlers));
  RenewalHandlers renewal;
  renewal.now = [this] { return now(); };
  renewal.renewed = [this](const Identity& identity) {
    identity_ = identity;
    try_next_ = true;
    sessions_ = crypto::make_client_sessions();
    log_.info("certificate renewed; connecting with it");
    link_->reconnect();
  };
  renewal.failed = [this](const Error& error, Duration wait) {
    log_.warning("certificate not renewed", {{"why", error.text()}, {"again_in", to_text(wait)}});
  };
  renewal_ = std::make_unique<Renewal>(system_, loop_, transport_, *state_, std::move(renewal));
  make_attestation();
  make_erasure();
}

// A key may lie in a TPM that the server does not know: then there is nothing to check.
keys::TpmDevice* Agent::attesting_tpm() const {
  if (!state_->in_tpm(identity_.current.key_name)) return nullptr;
  const auto certificate = crypto::parse_certificate(identity_.current.certificate_der);
  if (!certificate || crypto::evidence_of(*certificate).value_or("") != kAttestedEvidence) {
    return nullptr;
  }
  return state_->tpm()->device().get();
}

void Agent::make_attestation() {
  AttestationHandlers handlers;
  handlers.tpm = [this] { return attesting_tpm(); };
  handlers.check_times = [this] { return clock_trusted(system_.clock.wall()); };
  handlers.checked = [this](const std::string& result, Duration next) {
    ++counters_.attested;
    log_.info("the server checked the TPM", {{"result", result}, {"again_in", to_text(next)}});
  };
  handlers.failed = [this](const Error& error, Duration wait) {
    ++counters_.unattested;
    log_.warning("the TPM was not checked", {{"why", error.text()}, {"again_in", to_text(wait)}});
  };
  attestation_ =
      std::make_unique<AttestationCheck>(system_, loop_, transport_, *state_, std::move(handlers));
}

void Agent::make_erasure() {
  ErasureHandlers handlers;
  handlers.check_times = [this] { return clock_trusted(system_.clock.wall()); };
  handlers.stop = [this] {
    log_.warning("this device is decommissioned: it erases itself");
    for (const os::TimerId each : {sample_timer_, inventory_timer_, hold_timer_, time_timer_}) {
      loop_.cancel(each);
    }
    renewal_.reset();
    attestation_.reset();
    link_->stop([] {});
  };
  handlers.erased = [this] {
    log_.warning("erased; this machine is no device of the server any more",
                 {{"device", identity_.device_id}});
    if (told_erased_) told_erased_();
  };
  handlers.failed = [this](const Error& error) {
    log_.warning("the erasure is not finished; it is tried again", {{"why", error.text()}});
  };
  erasure_ = std::make_unique<Erasure>(system_, loop_, transport_, *state_, std::move(handlers));
}

void Agent::start() {
  // The first rates need a moment before them.
  last_ = probe_.snapshot();
  refresh_inventory();
  link_->start();
  renewal_->start();
  attestation_->start();
  sample_timer_ = timer(applied_.settings.sample_interval, &Agent::sample_timer);
  inventory_timer_ = timer(options_.inventory_interval, &Agent::inventory_timer);
  log_.info("agent started", {{"device", identity_.device_id}, {"server", identity_.mqtt}});
}

void Agent::stop(os::Task done) {
  for (const os::TimerId each : {sample_timer_, inventory_timer_, hold_timer_, time_timer_}) {
    loop_.cancel(each);
  }
  renewal_.reset();
  attestation_.reset();
  log_.info("agent stops", {{"device", identity_.device_id}});
  if (erasure_ && erasure_->ordered()) return loop_.post(std::move(done));  // it is down already
  link_->stop(std::move(done));
}

os::TimerId Agent::timer(Duration delay, void (Agent::*task)()) {
  return loop_.after(delay, [this, alive = alive_, task] {
    if (*alive) (this->*task)();
  });
}

}  // namespace holdfast::agent
