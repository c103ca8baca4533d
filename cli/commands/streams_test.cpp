// What goes on until it is stopped: watching and tailing, how lines look, what happens at a cut,
// and that nothing from a device reaches the terminal but text.
#include "cli/cli_fixture_test.hpp"

namespace holdfast::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const std::string kFollowed = "dev_01JD3V9QK2M4N6P8R0S2T4V6W8";

std::string stream(std::initializer_list<std::pair<std::string, std::string>> events,
                   int first_id = 1) {
  std::string out;
  for (const auto& [name, data] : events) {
    out += "id: " + std::to_string(first_id++) + "\nevent: " + name + "\ndata: " + data + "\n\n";
  }
  return out;
}

class StreamsTest : public CliTest {
 protected:
  // The stream says this, and then that it is over for good: who follows gives up with a problem.
  void says(const std::string& request, std::string body) {
    script.on(request, Scripted{200, std::move(body), {{"Content-Type", "text/event-stream"}}});
  }
  void refused_afterwards(const std::string& request) {
    script.on(request, Scripted{403, R"({"code":"forbidden","title":"Permission is missing"})"});
  }
};

TEST_F(StreamsTest, WatchSaysWhatHappenedInColumns) {
  says("GET /v1/stream",
       stream({{"device", R"({"id":"dev_1","changes":{"name":"pump","state":"active"}})"},
               {"device", R"({"id":"dev_2","removed":true})"},
               {"reading", R"({"device_id":"dev_1","metric":"lab.temp","value":20.5})"},
               {"event", R"({"device_id":"dev_1","kind":"log","message":"door opened"})"},
               {"reset", R"({"reason":"too far back"})"},
               {"of-tomorrow", R"({})"},
               {"reading", "no json"}}));
  refused_afterwards("GET /v1/stream");
  EXPECT_EQ(run({"device", "watch"}), 5) << "what can not pass ends it";
  EXPECT_EQ(terminal.printed,
            "device\tdev_1\tpump\tactive\t\n"
            "removed\tdev_2\t\t\t\n"
            "reading\tdev_1\tlab.temp\t20.5\n"
            "event\tdev_1\tlog\tdoor opened\n");
  EXPECT_THAT(terminal.said, HasSubstr("Something was missed: too far back."));
}

TEST_F(StreamsTest, WatchFollowsTheDevicesThatWereNamed) {
  script.on("GET /v1/devices?q=pump&limit=500",
            Scripted{200, R"({"items":[{"id":"dev_9","name":"pump"}],"next_cursor":null})"});
  const std::string at = "GET /v1/stream?device_id=" + kFollowed + "&device_id=dev_9";
  says(at, "");
  refused_afterwards(at);
  EXPECT_EQ(run({"device", "watch", kFollowed, "pump"}), 5);
}

TEST_F(StreamsTest, JsonIsOneObjectALine) {
  says("GET /v1/stream", stream({{"reading", R"({"device_id":"dev_1","value":1})"},
                                 {"device", R"({"id":"dev_1","changes":{}})"}}));
  refused_afterwards("GET /v1/stream");
  EXPECT_EQ(run({"device", "watch", "--json"}), 5);
  EXPECT_EQ(terminal.printed, R"({"event":"reading","data":{"device_id":"dev_1","value":1}})"
                              "\n"
                              R"({"event":"device","data":{"id":"dev_1","changes":{}}})"
                              "\n");
}

// A value is whatever a device sends, and a device may be hostile.
TEST_F(StreamsTest, NothingFromADeviceMovesTheCursor) {
  const std::string trick = "\\u001b[2J\\u009b2Jgone\\r\\n\\u0007";
  says("GET /v1/stream",
       stream({{"reading", R"({"device_id":"d","metric":"m","value":")" + trick + "\"}"},
               {"event", R"({"device_id":"d","kind":"log","message":")" + trick + "\"}"}}));
  refused_afterwards("GET /v1/stream");
  const std::string readings = "GET /v1/devices/" + kFollowed + "/telemetry/tail";
  says(readings, stream({{"reading", R"({"time":"t","metric":"m","value":")" + trick + "\"}"}}));
  refused_afterwards(readings);
  says("GET /v1/events/tail",
       stream({{"event", R"({"time":"t","kind":"log","message":")" + trick + "\"}"}}));
  refused_afterwards("GET /v1/events/tail");
  for (const bool tty : {false, true}) {
    terminal.tty = tty;
    for (const auto& words : {std::vector<std::string>{"device", "watch"},
                              {"telemetry", "tail", kFollowed},
                              {"event", "tail"}}) {
      SCOPED_TRACE(words.back());
      run(words);
      EXPECT_THAT(terminal.printed, Not(HasSubstr("\x1b")));
      EXPECT_THAT(terminal.printed, Not(HasSubstr("\xC2\x9B")));
      EXPECT_THAT(terminal.printed, Not(HasSubstr("\r")));
      EXPECT_THAT(terminal.printed, Not(HasSubstr("\x07")));
    }
  }
}

TEST_F(StreamsTest, NorDoesItInAnError) {
  script.on(
      "GET /v1/devices/" + kFollowed,
      Scripted{409,
               R"({"code":"conflict","title":"No","detail":"\u001b[31mpump\u009b0m is busy"})"});
  EXPECT_EQ(run({"device", "show", kFollowed}), 6);
  EXPECT_THAT(terminal.said, HasSubstr("[31mpump 0m is busy"));
  EXPECT_THAT(terminal.said, Not(HasSubstr("\x1b")));
}

TEST_F(StreamsTest, ATailGoesOnFromTheLastIdAndRepeatsNothing) {
  const std::string at = "GET /v1/devices/" + kFollowed + "/telemetry/tail?metric=lab.temp";
  says(at, stream({{"reading", R"({"time":"t1","metric":"lab.temp","value":1})"}}, 41));
  script.on(at, std::unexpected(Error{Code::closed, "cut", {}, {}, {}}));
  script.on(at, std::unexpected(Error{Code::unavailable, "away", {}, {}, {}}));
  says(at, stream({{"reading", R"({"time":"t2","metric":"lab.temp","value":2})"}}, 42));
  refused_afterwards(at);
  EXPECT_EQ(run({"telemetry", "tail", kFollowed, "lab.temp"}), 5);
  EXPECT_EQ(terminal.printed, "t1\tlab.temp\t1\nt2\tlab.temp\t2\n");
  ASSERT_THAT(script.requests, SizeIs(5));
  EXPECT_FALSE(script.requests[0].headers.has("Last-Event-ID"));
  for (const std::size_t i : {1U, 2U, 3U}) {
    EXPECT_EQ(script.requests[i].headers.get("Last-Event-ID"), "41") << i;
  }
  EXPECT_EQ(script.requests[4].headers.get("Last-Event-ID"), "42");
  ASSERT_THAT(script.pauses, SizeIs(4)) << "never at once: the server may be full";
  for (const Duration pause : script.pauses) EXPECT_LE(pause, seconds(15));
}

TEST_F(StreamsTest, AServerThatStaysAwayEndsItWithWhatToDo) {
  const std::string at = "GET /v1/events/tail";
  script.on(at, std::unexpected(Error{Code::unreachable, "refused", {}, {}, {}}));
  EXPECT_EQ(run({"event", "tail"}), 8);
  EXPECT_THAT(script.requests, SizeIs(20));
  EXPECT_THAT(terminal.said, HasSubstr("mend:"));
}

TEST_F(StreamsTest, ASessionThatEndedIsNotTriedAgain) {
  script.on("GET /v1/events/tail",
            Scripted{401, R"({"code":"unauthenticated","title":"Sign in first"})"});
  EXPECT_EQ(run({"event", "tail"}), 4);
  EXPECT_THAT(script.requests, SizeIs(1));
}

TEST_F(StreamsTest, ATailOfEventsTellsWhatItLeavesOut) {
  says("GET /v1/events/tail",
       stream({{"event", R"({"time":"2026-01-01T00:00:00.5Z","severity":"warning","kind":"log",)"
                         R"("device_id":"dev_1","message":"hot"})"},
               {"dropped", R"({"count":12})"}}));
  refused_afterwards("GET /v1/events/tail");
  run({"event", "tail"});
  EXPECT_EQ(terminal.printed, "2026-01-01T00:00:00.5Z\twarning\tlog\tdev_1\thot\n");
  EXPECT_THAT(terminal.said, HasSubstr("12 more came"));
}

}  // namespace
}  // namespace holdfast::cli
