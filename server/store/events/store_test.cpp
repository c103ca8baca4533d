#include "server/store/events/store.hpp"

#include <gtest/gtest.h>

#include "server/store/events/fixture_test.hpp"

namespace holdfast::events {
namespace {

using Texts = std::vector<std::string>;

class StoreTest : public testing::Test {
 protected:
  World world_{1};
  void SetUp() override { ASSERT_TRUE(world_.start()); }

  // The same question before and after each change of where events lie.
  void everywhere(const std::function<void()>& check) {
    check();
    ASSERT_TRUE(world_.journal->roll());
    check();
    ASSERT_TRUE(world_.restart());
    check();
    ASSERT_TRUE(world_.store->maintain());
    check();
  }
  Query query(const std::function<void(Query&)>& set) {
    Query out;
    set(out);
    return out;
  }
};

TEST_F(StoreTest, TheNewestComesFirst) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world_.append(1, "m" + std::to_string(i)));
  everywhere([&] { EXPECT_EQ(world_.messages(), (Texts{"m4", "m3", "m2", "m1", "m0"})); });
}

TEST_F(StoreTest, AllOfAnEventComesBack) {
  NewEvent event;
  event.kind = "door";
  event.severity = Severity::critical;
  event.message = "opened";
  event.device_time = world_.now() - hours(2);
  event.fields = {{"who", "Ada"},
                  {"n", std::int64_t{INT64_MAX}},
                  {"x", -0.5},
                  {"yes", true},
                  {"nothing", std::monostate{}}};
  ASSERT_TRUE(world_.append(device_of(3), event));
  Ulid id{};
  everywhere([&] {
    const Answer answer = world_.ask({});
    ASSERT_EQ(answer.items.size(), 1U);
    const Event& back = answer.items[0];
    EXPECT_EQ(back.kind, "door");
    EXPECT_EQ(back.severity, Severity::critical);
    EXPECT_EQ(back.message, "opened");
    EXPECT_EQ(back.time, *event.device_time);
    EXPECT_EQ(back.time_source, TimeSource::device);
    EXPECT_EQ(back.device, device_of(3));
    EXPECT_EQ(back.fields, event.fields);
    if (id != Ulid{}) {
      EXPECT_EQ(back.id, id) << "its id stays";
    }
    id = back.id;
  });
}

TEST_F(StoreTest, FiltersCount) {
  ASSERT_TRUE(world_.append(1, "Login failed for root", "auth", Severity::warning));
  ASSERT_TRUE(world_.append(2, "door opened"));
  NewEvent started;
  started.kind = "server";
  started.severity = Severity::notice;
  started.message = "started";
  ASSERT_TRUE(world_.append(Ulid{}, started));
  NewEvent flow;
  flow.kind = "flow";
  flow.message = "denied";
  flow.fields = {{"port", std::int64_t{4433}}, {"host", "evil.example"}};
  ASSERT_TRUE(world_.append(device_of(1), flow));
  everywhere([&] {
    const auto ask = [&](const std::function<void(Query&)>& set) {
      return world_.messages(query(set));
    };
    EXPECT_EQ(ask([](Query& q) { q.device = device_of(1); }),
              (Texts{"denied", "Login failed for root"}));
    EXPECT_EQ(ask([](Query& q) {
                q.device_filter = [](const Ulid& device) { return device != device_of(1); };
              }),
              (Texts{"started", "door opened"}));
    EXPECT_EQ(world_.find("kind=auth OR kind=flow"), (Texts{"denied", "Login failed for root"}));
    EXPECT_EQ(world_.find("severity>=notice"), (Texts{"started", "Login failed for root"}));
    EXPECT_EQ(world_.find("severity=critical"), Texts{});
    EXPECT_EQ(world_.find("ROOT failed"), (Texts{"Login failed for root"}));
    EXPECT_EQ(world_.find("evil"), (Texts{"denied"}));
    EXPECT_EQ(world_.find("port>=443 port<5000"), (Texts{"denied"}));
    EXPECT_EQ(world_.find("port:4433"), (Texts{"denied"}));
    EXPECT_EQ(world_.find("*443*"), (Texts{"denied"}));
    EXPECT_EQ(world_.find("443"), Texts{});
    EXPECT_EQ(world_.find("device:server"), (Texts{"started"}));
    EXPECT_EQ(world_.find("NOT (failed OR opened)"), (Texts{"denied", "started"}));
    EXPECT_EQ(world_.find("nowhere"), Texts{});
    EXPECT_EQ(ask([](Query& q) { q.to = WallTime{0}; }), Texts{});
  });
}

TEST_F(StoreTest, TimeFiltersGoByTheEventsOwnTime) {
  NewEvent event;
  event.kind = "log";
  event.message = "late";
  const WallTime at = world_.now() - days(3);
  event.device_time = at;
  ASSERT_TRUE(world_.append(1, "now"));
  ASSERT_TRUE(world_.append(device_of(1), event));
  everywhere([&] {
    EXPECT_EQ(world_.messages(query([&](Query& q) {
      q.from = at;
      q.to = at + microseconds(1);
    })),
              Texts{"late"});
    EXPECT_EQ(world_.messages(query([&](Query& q) { q.from = at + microseconds(1); })),
              Texts{"now"});
    EXPECT_EQ(world_.messages(), (Texts{"late", "now"})) << "newest arrival first";
  });
}

TEST_F(StoreTest, PagesFollowOneAnotherAlsoOverSeals) {
  Texts all;
  for (int i = 0; i < 57; ++i) {
    ASSERT_TRUE(world_.append(1, "m" + std::to_string(i)));
    all.insert(all.begin(), "m" + std::to_string(i));
    if (i % 20 == 19) {
      ASSERT_TRUE(world_.journal->roll());
    }
  }
  everywhere([&] {
    Texts got;
    Query page;
    page.limit = 10;
    for (int pages = 0; pages < 10; ++pages) {
      const Answer answer = world_.ask(page);
      for (const Event& event : answer.items) got.push_back(event.message);
      EXPECT_FALSE(answer.partial);
      page.cursor = answer.next_cursor;
      if (page.cursor.empty()) break;
    }
    EXPECT_EQ(got, all);
  });
}

TEST_F(StoreTest, ACursorStaysGoodWhileThingsMove) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(world_.append(1, "m" + std::to_string(i)));
  Query page;
  page.limit = 5;
  const Answer first = world_.ask(page);
  page.cursor = first.next_cursor;
  ASSERT_TRUE(world_.append(1, "newer"));
  ASSERT_TRUE(world_.journal->roll());
  ASSERT_TRUE(world_.append(1, "newest"));
  EXPECT_EQ(world_.messages(page), (Texts{"m14", "m13", "m12", "m11", "m10"}));
  page.cursor = "nonsense";
  EXPECT_FALSE(world_.store->query(page));
}

TEST_F(StoreTest, ADeadlineGivesWhatThereIsAndACursor) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(world_.append(1, "m" + std::to_string(i)));
  Query late;
  late.deadline = world_.node().system().clock.mono() - microseconds(1);
  for (int round = 0; round < 2; ++round) {
    const Answer answer = world_.ask(late);
    EXPECT_TRUE(answer.partial);
    EXPECT_FALSE(answer.next_cursor.empty());
    Query rest;
    rest.cursor = answer.next_cursor;
    EXPECT_EQ(answer.items.size() + world_.ask(rest).items.size(), 10U);
    ASSERT_TRUE(world_.journal->roll());
  }
}

TEST_F(StoreTest, ManyEventsFillManyBlocks) {
  std::vector<std::optional<Status>> answers(5000);
  NewEvent event;
  event.kind = "log";
  for (std::size_t i = 0; i < answers.size(); ++i) {
    event.message = "message number " + std::to_string(i);
    const auto body = encode_event(event, world_.now());
    journal::Record record;
    record.kind = journal::Kind::event;
    record.body = *body;
    ASSERT_TRUE(world_.journal->append(
        record, nullptr, [&answers, i](const Status& status) { answers[i] = status; }));
  }
  world_.world.run_until([&] { return answers.back().has_value(); }, seconds(10));
  ASSERT_TRUE(world_.journal->roll());
  ASSERT_TRUE(world_.store->maintain());
  Query all;
  all.limit = 10'000;
  EXPECT_EQ(world_.messages(all).size(), 5000U);
  EXPECT_EQ(world_.find("4321"), Texts{"message number 4321"});
  ASSERT_FALSE(world_.store->files().empty());
  EXPECT_GT(world_.store->files()[0]->groups().size(), 0U);
}

TEST_F(StoreTest, FilesOfADayAreMergedAndTheirKeysGo) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(world_.append(1, "m" + std::to_string(i)));
    ASSERT_TRUE(world_.journal->roll());
  }
  ASSERT_TRUE(world_.store->maintain());
  EXPECT_LE(world_.store->files().size(), 8U);
  EXPECT_EQ(world_.keys.count("events:"), world_.store->files().size());
  EXPECT_EQ(world_.folder().size(), world_.store->files().size());
  EXPECT_EQ(world_.messages().size(), 20U);
}

TEST_F(StoreTest, FilesOfDifferentDaysStayApart) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(world_.append(1, "m" + std::to_string(i)));
    ASSERT_TRUE(world_.journal->roll());
    world_.world.jump_wall(days(1));
  }
  ASSERT_TRUE(world_.store->maintain());
  EXPECT_EQ(world_.store->files().size(), 10U);
}

TEST_F(StoreTest, RetentionRemovesOldFilesAndSaysSoBefore) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(world_.append(1, "m" + std::to_string(i)));
    ASSERT_TRUE(world_.journal->roll());
    world_.world.jump_wall(days(1));
  }
  ASSERT_TRUE(world_.store->set_retention(days(2) + hours(1), std::nullopt));
  const auto preview = world_.store->retention_preview(world_.now());
  EXPECT_EQ(preview->events, 2U);
  EXPECT_EQ(world_.messages().size(), 4U);
  const auto applied = world_.store->retention_apply(world_.now());
  EXPECT_EQ(applied->segments, 2U);
  everywhere([&] { EXPECT_EQ(world_.messages(), (Texts{"m3", "m2"})); });
  EXPECT_EQ(world_.keys.count("events:"), 2U);
  ASSERT_TRUE(world_.store->set_retention(std::nullopt, 1));
  EXPECT_EQ(world_.store->retention_apply(world_.now())->segments, 2U);
  EXPECT_TRUE(world_.folder().empty());
  EXPECT_FALSE(world_.store->set_retention(Duration{0}, std::nullopt));
}

TEST_F(StoreTest, ErasureTakesADeviceOutOfEveryFile) {
  const Ulid person = device_of(200);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(world_.append(1, "one " + std::to_string(i)));
    ASSERT_TRUE(world_.append(2, "two " + std::to_string(i)));
    NewEvent about;
    about.kind = "visit";
    about.message = "about " + std::to_string(i);
    ASSERT_TRUE(world_.append(device_of(2), about, person));
    if (i < 2) {
      ASSERT_TRUE(world_.journal->roll());
    }
  }
  // An old backup holds the files as they are now.
  std::vector<Bytes> backup;
  for (const FilePtr& file : world_.store->files()) {
    backup.push_back(*os::read_file(world_.node().system().files, file->path(), 1 << 20));
  }
  EXPECT_EQ(world_.store->erase_preview(device_of(1))->events, 2U);
  const auto receipt = world_.store->erase(device_of(1));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->events, 3U) << "with what was still in the journal";
  EXPECT_EQ(receipt->segments, 3U);
  ASSERT_TRUE(world_.store->erase(person));
  everywhere([&] { EXPECT_EQ(world_.messages(), (Texts{"two 2", "two 1", "two 0"})); });
  for (const Bytes& file : backup) {
    EXPECT_FALSE(world_.keys.get(decode_file_header(file)->key)) << "the backup's key is gone";
  }
  EXPECT_EQ(world_.store->erase(device_of(1))->events, 0U) << "once more does no harm";
}

TEST_F(StoreTest, AnInterruptedErasureIsFinishedByRunningItAgain) {
  for (std::uint64_t cut = 1; cut < 40; ++cut) {
    World world(cut);
    ASSERT_TRUE(world.start());
    ASSERT_TRUE(world.append(1, "one"));
    ASSERT_TRUE(world.append(2, "two"));
    ASSERT_TRUE(world.journal->roll());
    world.settle();
    const journal::KeyId old = world.store->files()[0]->key();
    world.node().disk().crash_at(world.node().disk().operations() + cut);
    const bool erased = world.store->erase(device_of(1)).has_value();
    if (world.node().up()) {
      EXPECT_TRUE(erased);
      break;
    }
    ASSERT_TRUE(world.restart());
    ASSERT_TRUE(world.store->erase(device_of(1)));
    EXPECT_EQ(world.messages(), Texts{"two"}) << cut;
    EXPECT_FALSE(world.keys.get(old)) << cut;
    EXPECT_EQ(world.keys.count("events:"), world.store->files().size()) << cut;
  }
}

TEST_F(StoreTest, DamageHidesOneBlockOnly) {
  ASSERT_TRUE(world_.append(1, "first file"));
  ASSERT_TRUE(world_.journal->roll());
  ASSERT_TRUE(world_.append(1, "second file"));
  ASSERT_TRUE(world_.journal->roll());
  ASSERT_TRUE(world_.node().disk().flip_bit(world_.folder()[0], 70));
  const Answer answer = world_.ask({});
  ASSERT_EQ(answer.items.size(), 1U);
  EXPECT_EQ(answer.items[0].message, "second file");
  EXPECT_TRUE(answer.partial);
  ASSERT_TRUE(world_.node().disk().flip_bit(world_.folder()[0], 9));
  ASSERT_TRUE(world_.restart());
  EXPECT_EQ(world_.alarms.size(), 2U) << "one for each life that met it";
  EXPECT_EQ(world_.messages(), Texts{"second file"});
  EXPECT_EQ(world_.folder().size(), 2U) << "left where it is";
  EXPECT_EQ(world_.keys.count("events:"), 2U) << "with its key";
}

TEST_F(StoreTest, AReadErrorAtTheStartHidesAFileForAMomentOnly) {
  for (const char* kind : {"one", "two", "three"}) {
    NewEvent event;
    event.kind = kind;
    event.message = "x";
    ASSERT_TRUE(world_.append(device_of(1), event));
    ASSERT_TRUE(world_.journal->roll());
  }
  Query all;
  all.limit = 100;
  const auto count = [&] {
    const auto answer = world_.store->query(all);
    EXPECT_TRUE(answer);
    EXPECT_FALSE(answer->partial);
    return answer ? answer->items.size() : 0;
  };
  ASSERT_EQ(count(), 3U);
  unsigned met = 0;
  for (std::uint64_t read = 1; read < 60; ++read) {
    world_.node().crash();
    world_.stop();
    world_.node().restart();
    world_.node().disk().fail_read_at(world_.node().disk().reads() + read);
    const Status started = world_.start();
    world_.node().disk().plan_no_faults();
    if (!started) continue;  // the journal's own; it starts the next time
    met += world_.store->files().size() == 3 ? 0 : 1;
    EXPECT_EQ(count(), 3U) << "read " << read;
    EXPECT_EQ(world_.store->files().size(), 3U) << "read " << read;
  }
  EXPECT_GE(met, 3U) << "no read hit a file of events";
}

// It would take the place of the one that is left out, and remove it at the next start.
TEST_F(StoreTest, AMergeDoesNotReachOverAFileThatIsLeftOut) {
  const auto add = [&](int count) {
    for (int i = 0; i < count; ++i) {
      NewEvent event;
      event.kind = "k";
      event.message = "x";
      ASSERT_TRUE(world_.append(device_of(1), event));
      ASSERT_TRUE(world_.journal->roll());
    }
  };
  add(7);
  ASSERT_EQ(world_.store->files().size(), 7U) << "eight are merged";
  const std::string path = world_.store->files()[3]->path();
  ASSERT_TRUE(world_.node().disk().flip_bit(path, 9));
  ASSERT_TRUE(world_.restart());
  add(2);
  ASSERT_TRUE(world_.store->maintain());
  EXPECT_EQ(world_.store->files().size(), 8U) << "no run of eight beside it";
  ASSERT_TRUE(world_.node().disk().flip_bit(path, 9));  // mended
  ASSERT_TRUE(world_.restart());
  Query all;
  all.limit = 100;
  EXPECT_EQ(world_.store->query(all)->items.size(), 9U);
}

TEST_F(StoreTest, NothingReportedIsReadableOnDisk) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(world_.append(1, "a very secret message", "secretkind"));
  ASSERT_TRUE(world_.journal->roll());
  for (const std::string& path : world_.folder()) {
    const auto bytes = os::read_file(world_.node().system().files, path, 1 << 20);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(text_of(*bytes).find("secret"), std::string_view::npos);
  }
}

}  // namespace
}  // namespace holdfast::events
