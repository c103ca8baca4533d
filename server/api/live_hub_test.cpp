#include "server/api/live_hub.hpp"

#include "libs/http/target.hpp"
#include "server/api/api_fixture_test.hpp"
#include "server/api/live_routes.hpp"

namespace holdfast::api {
namespace {

DeviceId device(std::uint8_t n) {
  DeviceId id;
  id.ulid[15] = n;
  return id;
}
SiteId site(std::uint8_t n) {
  SiteId id;
  id.ulid[15] = n;
  return id;
}

class LiveHubTest : public testing::Test {
 protected:
  LiveHub::Wish wish(core::Roles roles = {core::Role::viewer}, core::Sites sites = {}) {
    LiveHub::Wish out;
    out.caller.kind = core::Caller::Kind::user;
    out.caller.roles = roles;
    out.caller.sites = std::move(sites);
    return out;
  }
  std::shared_ptr<TestStream> join(LiveHub::Wish w) {
    auto stream = std::make_shared<TestStream>();
    EXPECT_TRUE(hub.join(std::move(w), stream));
    return stream;
  }
  static LiveItem item(std::string data, DeviceId of = device(1), std::optional<SiteId> at = {},
                       LiveItem::Kind kind = LiveItem::Kind::device) {
    LiveItem out;
    out.kind = kind;
    out.device = of;
    out.site = at;
    out.data = std::move(data);
    return out;
  }
  static std::vector<std::string> data(const TestStream& stream) {
    std::vector<std::string> out;
    for (const auto& event : stream.events) {
      if (!event.name.empty()) out.push_back(event.name + ' ' + event.data);
    }
    return out;
  }
  using Texts = std::vector<std::string>;
  Metrics metrics;
  LiveHub hub{"run", metrics};
};

TEST_F(LiveHubTest, ANewStreamGetsAnIdThenWhatHappens) {
  hub.publish(item("{1}"));
  const auto stream = join(wish());
  hub.publish(item("{2}"));
  EXPECT_EQ(stream->ids(), (Texts{"run.1", "run.2"}));
  EXPECT_EQ(data(*stream), Texts{"device {2}"});
}

TEST_F(LiveHubTest, ResumesWhereItWas) {
  for (int i = 1; i <= 5; ++i) hub.publish(item(std::to_string(i)));
  auto w = wish();
  w.last_event_id = "run.3";
  const auto stream = join(w);
  EXPECT_EQ(data(*stream), (Texts{"device 4", "device 5"}));
  w.last_event_id = "run.5";
  EXPECT_EQ(data(*join(w)), Texts{});
}

TEST_F(LiveHubTest, WhoResumesGetsOfEachMetricTheNewest) {
  const auto reading = [&](std::uint8_t of, std::string metric, std::string text) {
    LiveItem out = item(std::move(text), device(of), {}, LiveItem::Kind::reading);
    out.metric = std::move(metric);
    hub.publish(out);
  };
  hub.publish(item("before"));
  reading(1, "a", "a1");
  hub.publish(item("between"));
  reading(1, "b", "b1");
  reading(2, "a", "other a1");
  reading(1, "a", "a2");
  auto w = wish();
  w.last_event_id = "run.1";
  const auto stream = join(w);
  EXPECT_EQ(data(*stream),
            (Texts{"device between", "reading b1", "reading other a1", "reading a2"}));
  EXPECT_EQ(stream->ids().back(), "run.6");
}

TEST_F(LiveHubTest, AGapThatIsGoneIsAReset) {
  for (std::size_t i = 0; i < kLiveItemsMax + 10; ++i) hub.publish(item("x"));
  const std::string newest = "run." + std::to_string(kLiveItemsMax + 10);
  for (std::string_view id :
       {"run.3", "other.20005", "run.", "run.x", "nonsense", "run.99999999"}) {
    auto w = wish();
    w.last_event_id = id;
    const auto stream = join(w);
    ASSERT_EQ(stream->events.size(), 1U) << id;
    EXPECT_EQ(stream->events[0].name, "reset") << id;
    EXPECT_EQ(stream->events[0].id, newest) << id;
  }
  auto w = wish();
  w.last_event_id = "run.10";
  EXPECT_EQ(join(w)->events.size(), kLiveItemsMax);
}

TEST_F(LiveHubTest, WhatIsKeptIsBoundedInBytes) {
  for (int i = 0; i < 20; ++i) hub.publish(item(std::string(1'000'000, 'x')));
  auto w = wish();
  w.last_event_id = "run.12";
  EXPECT_EQ(join(w)->events.size(), 8U);
  w.last_event_id = "run.11";
  EXPECT_EQ(join(w)->events[0].name, "reset");
}

TEST_F(LiveHubTest, SitesAndPermissionsDecideWhatIsSeen) {
  const auto everywhere = join(wish());
  const auto at_one = join(wish({core::Role::viewer}, std::vector{site(1)}));
  const auto nobody = join(wish({}));
  hub.publish(item("here", device(1), site(1)));
  hub.publish(item("there", device(2), site(2)));
  hub.publish(item("nowhere", device(3)));
  hub.publish(item("reading", device(1), site(1), LiveItem::Kind::reading));
  LiveItem own;
  own.kind = LiveItem::Kind::event;
  own.data = "server";
  hub.publish(own);
  EXPECT_EQ(data(*everywhere), (Texts{"device here", "device there", "device nowhere",
                                      "reading reading", "event server"}));
  EXPECT_EQ(data(*at_one), (Texts{"device here", "reading reading"}));
  EXPECT_EQ(data(*nobody), Texts{});
}

TEST_F(LiveHubTest, ADeviceThatMovesAwayIsRemoved) {
  const auto at_one = join(wish({core::Role::viewer}, std::vector{site(1)}));
  const auto at_two = join(wish({core::Role::viewer}, std::vector{site(2)}));
  const auto at_three = join(wish({core::Role::viewer}, std::vector{site(3)}));
  LiveItem moved = item("now in two", device(1), site(2));
  moved.old_site = site(1);
  moved.removed = "gone";
  hub.publish(moved);
  EXPECT_EQ(data(*at_one), Texts{"device gone"});
  EXPECT_EQ(data(*at_two), Texts{"device now in two"});
  EXPECT_EQ(data(*at_three), Texts{});
}

TEST_F(LiveHubTest, AFilterByDeviceLeavesTheRestOut) {
  auto w = wish();
  w.devices = {device(2)};
  const auto stream = join(w);
  hub.publish(item("one", device(1)));
  hub.publish(item("two", device(2)));
  LiveItem own;
  own.data = "server";
  hub.publish(own);
  EXPECT_EQ(data(*stream), Texts{"device two"});
}

TEST_F(LiveHubTest, WhoLeavesIsForgotten) {
  const auto stream = join(wish());
  EXPECT_TRUE(hub.watched({0}));
  stream->close();
  EXPECT_TRUE(hub.watched(MonoTime{} + seconds(60))) << "it may come back";
  hub.publish(item("while away"));
  auto w = wish();
  w.last_event_id = "run.0";
  {
    const auto again = join(w);
    EXPECT_EQ(data(*again), Texts{"device while away"});
    again->close();
  }
  EXPECT_FALSE(hub.watched(MonoTime{} + minutes(10)));
  w.last_event_id = "run.1";
  EXPECT_EQ(join(w)->events[0].name, "reset") << "nobody kept what it missed";
}

TEST_F(LiveHubTest, StreamsAreBounded) {
  std::vector<std::shared_ptr<TestStream>> all;
  for (std::size_t i = 0; i < kLiveStreamsMax; ++i) all.push_back(join(wish()));
  EXPECT_EQ(hub.join(wish(), std::make_shared<TestStream>()).error().code, Code::overloaded);
  all[7]->close();
  EXPECT_TRUE(hub.join(wish(), std::make_shared<TestStream>()));
}

class LiveRoutes : public ApiTest {};

TEST_F(LiveRoutes, TheStreamTakesItsWish) {
  LiveHub hub("run", t.metrics);
  ASSERT_TRUE(add_live_routes(operations, hub));
  const auto place = start({"GET",
                            "/v1/stream?device_id=" + device(2).text(),
                            "",
                            bootstrap,
                            {{"Last-Event-ID", "old.1"}}});
  t.world.run_for(seconds(1));
  ASSERT_TRUE(place->stream);
  hub.publish({LiveItem::Kind::device, device(1), {}, {}, "one", {}, {}});
  hub.publish({LiveItem::Kind::device, device(2), {}, {}, "two", {}, {}});
  ASSERT_EQ(place->stream->events.size(), 2U);
  EXPECT_EQ(place->stream->events[0].name, "reset");
  EXPECT_EQ(place->stream->events[1].data, "two");
  EXPECT_EQ(ask({"GET", "/v1/stream?device_id=x", "", bootstrap}).code(), "invalid-argument");
  const core::Caller caller;
  http::Request request;
  const wire::Json none;
  for (std::size_t i = 0; i < kLiveDevicesMax; ++i) {
    request.query.emplace_back("device_id", device(static_cast<std::uint8_t>(i)).text());
  }
  const core::Call call{caller, request, none, {}};
  EXPECT_EQ(wish_of(call)->devices.size(), kLiveDevicesMax);
  request.query.emplace_back("device_id", device(255).text());
  EXPECT_EQ(wish_of(call).error().pointer, "?device_id");
  request.query = {{"device_id", device(1).text() + "," + device(2).text()},
                   {"device_id", device(2).text()}};
  EXPECT_EQ(wish_of(call)->devices.size(), 2U);
  request.query = {{"device_id", device(1).text() + ","}};
  EXPECT_FALSE(wish_of(call));
  std::string target = "/v1/stream?device_id=" + device(0).text();
  for (std::size_t i = 1; i < kLiveDevicesMax; ++i) {
    target += "&device_id=" + device(static_cast<std::uint8_t>(i)).text();
  }
  EXPECT_TRUE(http::parse_target(target)) << "the whole filter fits, each member by itself";
}

}  // namespace
}  // namespace holdfast::api
