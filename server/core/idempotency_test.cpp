#include "server/core/idempotency.hpp"

#include <gtest/gtest.h>

#include "server/core/testing/test_store.hpp"

namespace holdfast::core {
namespace {

class IdempotencyTest : public testing::Test {
 protected:
  IdempotencyTest() { EXPECT_TRUE(t_.open()); }

  Result<std::optional<StoredAnswer>> find(const IdempotentCall& call) {
    Result<std::optional<StoredAnswer>> found = std::nullopt;
    const Status read = t_.store().read([&](sql::Tx& tx) -> Status {
      found = find_answer(tx, t_.sealer(), call, t_.world.wall());
      return {};
    });
    EXPECT_TRUE(read);
    return found;
  }
  Status keep(const IdempotentCall& call, const StoredAnswer& answer) {
    return t_.store().change(test_caller(), call.operation, [&](Change& change) -> Status {
      TRY(change.audit("x", "", "{}"));
      return keep_answer(change, call, answer);
    });
  }

  TestStore t_;
  IdempotentCall call_{"usr_1", "create_site", "key-1", Bytes(32, 1)};
  StoredAnswer answer_{201, "ETag: \"1\"\n", "{\"id\":\"site_1\"}"};
};

TEST_F(IdempotencyTest, TheSameCallGetsTheStoredAnswer) {
  EXPECT_EQ(*find(call_), std::nullopt);
  ASSERT_TRUE(keep(call_, answer_));
  const auto again = find(call_);
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->status, 201);
  EXPECT_EQ((*again)->headers, answer_.headers);
  EXPECT_EQ((*again)->body, answer_.body);
}

TEST_F(IdempotencyTest, TheChangeItselfMarksTheCall) {
  Caller caller = test_caller();
  caller.once = std::make_shared<const IdempotentCall>(call_);
  const auto change = [&](Status result) {
    return t_.store().change(caller, call_.operation, [&](Change& each) -> Status {
      TRY(each.audit("x", "", "{}"));
      TRY(each.audit("y", "", "{}"));
      each.keep_for_answer("{\"secret\":\"very_secret\"}");
      return result;
    });
  };
  ASSERT_FALSE(change(fail(Code::conflict, "undone")));
  EXPECT_EQ(*find(call_), std::nullopt) << "what was undone may be tried again";
  ASSERT_TRUE(change({}));
  const auto mark = find(call_);
  ASSERT_TRUE(mark && *mark);
  EXPECT_TRUE((*mark)->lost());
  EXPECT_EQ((*mark)->object, "x");
  EXPECT_EQ((*mark)->kept, "{\"secret\":\"very_secret\"}");
  ASSERT_TRUE(t_.database().maintain());
  const auto file = os::read_file(t_.system().files, "/data/holdfast.db", 1 << 24);
  EXPECT_FALSE(text_of(*file).contains("very_secret")) << "marks are sealed, too";
  t_.world.run_for(kIdempotencyKeep + seconds(1));
  EXPECT_EQ(*find(call_), std::nullopt);
  ASSERT_TRUE(change({}));
  ASSERT_TRUE(keep(call_, answer_));
  EXPECT_EQ((*find(call_))->status, 201);
}

TEST_F(IdempotencyTest, AnotherBodyIsAMismatch) {
  ASSERT_TRUE(keep(call_, answer_));
  IdempotentCall other = call_;
  other.body_digest = Bytes(32, 2);
  EXPECT_EQ(find(other).error().code, Code::idempotency_mismatch);
}

TEST_F(IdempotencyTest, AnotherCallerOperationOrKeyIsAnotherCall) {
  ASSERT_TRUE(keep(call_, answer_));
  for (const IdempotentCall& other :
       {IdempotentCall{"usr_2", "create_site", "key-1", Bytes(32, 1)},
        IdempotentCall{"usr_1", "create_type", "key-1", Bytes(32, 1)},
        IdempotentCall{"usr_1", "create_site", "key-2", Bytes(32, 1)},
        IdempotentCall{"usr_1c", "reate_site", "key-1", Bytes(32, 1)}}) {
    EXPECT_EQ(*find(other), std::nullopt) << other.caller << other.operation << other.key;
  }
}

TEST_F(IdempotencyTest, AnswersLiveOneDay) {
  ASSERT_TRUE(keep(call_, answer_));
  t_.world.run_for(hours(24) - seconds(1));
  EXPECT_TRUE(find(call_)->has_value());
  t_.world.run_for(seconds(1));
  EXPECT_FALSE(find(call_)->has_value());
  // An expired one makes room for a new one of another body.
  IdempotentCall other = call_;
  other.body_digest = Bytes(32, 2);
  ASSERT_TRUE(keep(other, {200, "", "new"}));
  EXPECT_EQ((*find(other))->body, "new");
  t_.world.run_for(hours(25));
  std::int64_t trimmed = 0;
  ASSERT_TRUE(t_.store().record(Caller::system(), "trim", [&](Change& change) -> Status {
    trimmed = TRY(trim_answers(change.tx(), change.now()));
    return {};
  }));
  EXPECT_EQ(trimmed, 1);
}

TEST_F(IdempotencyTest, AnAnswerGoesWithItsChange) {
  const Status failed =
      t_.store().change(test_caller(), "create_site", [&](Change& change) -> Status {
        TRY(change.audit("x", "", "{}"));
        TRY(keep_answer(change, call_, answer_));
        return fail(Code::conflict, "after all not");
      });
  EXPECT_FALSE(failed);
  EXPECT_FALSE(find(call_)->has_value());
}

TEST_F(IdempotencyTest, WrongKeysAndLargeAnswersAreRefused) {
  for (const std::string& key :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\n")}) {
    IdempotentCall call = call_;
    call.key = key;
    EXPECT_EQ(find(call).error().code, Code::invalid_argument);
    EXPECT_EQ(keep(call, answer_).error().code, Code::invalid_argument);
  }
  EXPECT_EQ(keep(call_, {200, "", std::string(kIdempotencyAnswerBytesMax + 1, 'x')}).error().code,
            Code::internal);
}

TEST_F(IdempotencyTest, AnswersAreKeptSealed) {
  ASSERT_TRUE(keep(call_, {201, "", "{\"secret\":\"hft_very_secret_token\"}"}));
  ASSERT_TRUE(t_.database().maintain());
  const auto file = os::read_file(t_.system().files, "/data/holdfast.db", 1 << 24);
  EXPECT_FALSE(text_of(*file).contains("very_secret"));
}

}  // namespace
}  // namespace holdfast::core
