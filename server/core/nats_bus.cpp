#include "server/core/nats_bus.hpp"

#include <nats/nats.h>

#include <array>
#include <mutex>

namespace holdfast::core {

namespace {

constexpr const char* kStream = "HOLDFAST_BUS";
constexpr std::string_view kSubjectPrefix = "holdfast.bus.";
constexpr std::int64_t kConnectMs = 5'000;
constexpr std::int64_t kPublishMs = 1'000;
constexpr std::int64_t kReconnectMs = 500;
constexpr std::int64_t kStreamBytes = 16 * 1024 * 1024;
constexpr std::int64_t kStreamAgeNs = 600'000'000'000;  // ten minutes

template <class T, void (*kFree)(T*)>
struct Freeing {
  void operator()(T* it) const { kFree(it); }
};
using Options = std::unique_ptr<natsOptions, Freeing<natsOptions, natsOptions_Destroy>>;
using Connected = std::unique_ptr<natsConnection, Freeing<natsConnection, natsConnection_Destroy>>;
using Stream = std::unique_ptr<jsCtx, Freeing<jsCtx, jsCtx_Destroy>>;

Status check(natsStatus status, std::string_view what) {
  if (status == NATS_OK) return {};
  return fail(Code::unavailable, "NATS: " + std::string(what) + ": " + natsStatus_GetText(status));
}

// What the callback needs, shared by the subscription and libnats. The lock is recursive because a
// callback may end its own subscription.
struct NatsSubscriber {
  std::recursive_mutex mutex;
  Bus::Callback callback;  // empty: gone
};
using SharedSubscriber = std::shared_ptr<NatsSubscriber>;

void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
  NatsSubscriber& subscriber = **static_cast<SharedSubscriber*>(closure);
  {
    const std::scoped_lock lock(subscriber.mutex);
    if (subscriber.callback) {
      subscriber.callback(
          {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))});
    }
  }
  natsMsg_Destroy(message);
}

// libnats says this once no callback can come any more.
void on_complete(void* closure) {
  delete static_cast<SharedSubscriber*>(closure);
}

class NatsSubscription final : public BusSubscription {
 public:
  NatsSubscription(natsSubscription* subscription, SharedSubscriber subscriber)
      : subscription_(subscription), subscriber_(std::move(subscriber)) {}
  ~NatsSubscription() override {
    {
      const std::scoped_lock lock(subscriber_->mutex);
      subscriber_->callback = nullptr;
    }
    natsSubscription_Unsubscribe(subscription_);
    natsSubscription_Destroy(subscription_);
  }

 private:
  natsSubscription* subscription_;
  SharedSubscriber subscriber_;
};

class NatsBus final : public Bus {
 public:
  Status connect(const std::string& url) {
    natsOptions* raw = nullptr;
    TRY(check(natsOptions_Create(&raw), "options"));
    const Options options(raw);
    TRY(check(natsOptions_SetURL(raw, url.c_str()), "address"));
    TRY(check(natsOptions_SetName(raw, "holdfast"), "name"));
    TRY(check(natsOptions_SetTimeout(raw, kConnectMs), "timeout"));
    TRY(check(natsOptions_SetMaxReconnect(raw, -1), "reconnecting"));
    TRY(check(natsOptions_SetReconnectWait(raw, kReconnectMs), "reconnecting"));
    natsConnection* connection = nullptr;
    TRY(check(natsConnection_Connect(&connection, raw), "connecting"));
    connection_.reset(connection);
    jsCtx* context = nullptr;
    TRY(check(natsConnection_JetStream(&context, connection, nullptr), "JetStream"));
    stream_.reset(context);
    return make_stream();
  }

  Status publish(std::string_view subject, std::string_view payload) override {
    TRY(check_bus_message(subject, payload));
    // While it reconnects, libnats would keep the message and let us wait for an answer.
    if (natsConnection_Status(connection_.get()) != NATS_CONN_STATUS_CONNECTED) {
      return fail(Code::unavailable, "NATS is away");
    }
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MaxWait = kPublishMs;
    options.ExpectStream = kStream;
    const std::string full = std::string(kSubjectPrefix) + std::string(subject);
    return check(js_Publish(nullptr, stream_.get(), full.c_str(), payload.data(),
                            static_cast<int>(payload.size()), &options, nullptr),
                 "publishing");
  }

  Result<std::unique_ptr<BusSubscription>> subscribe(std::string_view subject,
                                                     Callback callback) override {
    TRY(check_bus_message(subject, {}));
    auto subscriber = std::make_shared<NatsSubscriber>();
    subscriber->callback = std::move(callback);
    auto closure = std::make_unique<SharedSubscriber>(subscriber);
    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Stream = kStream;
    options.Ordered = true;
    options.Config.DeliverPolicy = js_DeliverNew;
    const std::string full = std::string(kSubjectPrefix) + std::string(subject);
    natsSubscription* subscription = nullptr;
    TRY(check(js_Subscribe(&subscription, stream_.get(), full.c_str(), on_message, closure.get(),
                           nullptr, &options, nullptr),
              "subscribing"));
    if (natsSubscription_SetOnCompleteCB(subscription, on_complete, closure.get()) == NATS_OK) {
      (void)closure.release();  // on_complete frees it
    }
    return std::make_unique<NatsSubscription>(subscription, std::move(subscriber));
  }

 private:
  Status make_stream() {
    const std::string all = std::string(kSubjectPrefix) + ">";
    std::array<const char*, 1> subjects{all.c_str()};
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    config.Name = kStream;
    config.Subjects = subjects.data();
    config.SubjectsLen = 1;
    config.MaxBytes = kStreamBytes;
    config.MaxAge = kStreamAgeNs;
    config.Discard = js_DiscardOld;
    config.Storage = js_FileStorage;
    jsErrCode why{};
    const natsStatus status = js_AddStream(nullptr, stream_.get(), &config, nullptr, &why);
    // Another version of us made it with other bounds: good enough.
    if (why == JSStreamNameExistErr) return {};
    return check(status, "making the stream");
  }

  Connected connection_;  // outlives the context
  Stream stream_;
};

}  // namespace

Result<std::unique_ptr<Bus>> make_nats_bus(const std::string& url) {
  auto bus = std::make_unique<NatsBus>();
  TRY(bus->connect(url));
  return bus;
}

}  // namespace holdfast::core
