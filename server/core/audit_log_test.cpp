#include "server/core/audit_log.hpp"

#include <gtest/gtest.h>

#include "libs/tlog/tiles.hpp"
#include "libs/wire/json.hpp"
#include "server/core/jobs.hpp"
#include "server/core/testing/test_store.hpp"
#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::core {
namespace {

class Evidence {
 public:
  explicit Evidence(std::uint64_t seed = 2) : t(seed) { EXPECT_TRUE(t.open()); }
  ~Evidence() { stop(); }

  Status start() {
    workers = t.system().threads.start_workers("core", 2, 64);
    log = TRY(AuditLog::make(t.store(), t.system(), *workers, t.log, t.metrics,
                             {"/data/audit", "/outside"}));
    TRY(log->start());
    t.store().on_commit([this](bool audited, bool) {
      if (audited) log->wake();
    });
    return {};
  }
  void stop() {
    t.store().on_commit(nullptr);
    log.reset();
    workers.reset();
  }
  Status add(int count) {
    for (int i = 0; i < count; ++i) {
      TRY(t.store().change(test_caller(), "put", [&](Change& change) {
        return change.audit("site_" + std::to_string(i % 7), "{\"n\":0}",
                            "{\"n\":" + std::to_string(i) + "}");
      }));
    }
    return {};
  }
  // Changes rows behind the audit's back.
  void tamper(std::string_view sql) {
    const Status done = t.database().write([&](sql::Tx& tx) -> Status {
      TRY(tx.exec(sql));
      return {};
    });
    EXPECT_TRUE(done) << done.error().text();
  }
  tlog::Verdict verify(AuditVerify query = {}) {
    const auto verdict = log->verify(test_caller(), query);
    EXPECT_TRUE(verdict) << verdict.error().text();
    return verdict.value_or(tlog::Verdict{});
  }
  std::string file(const std::string& path) {
    const auto bytes = os::read_file(t.system().files, path, 1 << 20);
    return bytes ? string_of(*bytes) : "";
  }
  std::uint64_t size_at(const std::string& path) {
    const auto note = tlog::parse_note(file(path));
    return note ? note->checkpoint.size : 0;
  }

  TestStore t;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<AuditLog> log;
};

TEST(AuditLogTest, ACheckpointCoversEverythingAndIsCopiedOutside) {
  Evidence e;
  ASSERT_TRUE(e.start());
  EXPECT_EQ(e.log->checkpoint(test_caller()).error().code, Code::not_found);
  ASSERT_TRUE(e.add(10));
  ASSERT_TRUE(e.log->advance());
  const auto checkpoint = e.log->checkpoint(test_caller());
  ASSERT_TRUE(checkpoint) << checkpoint.error().text();
  EXPECT_EQ(checkpoint->checkpoint.size, 10U);
  EXPECT_EQ(e.file("/data/audit/checkpoint"), checkpoint->note);
  EXPECT_EQ(e.file("/outside/latest"), checkpoint->note);
  EXPECT_EQ(e.file("/outside/2026-01-01"), checkpoint->note);
  const auto key = crypto::PublicKey::from_pem(checkpoint->public_key_pem);
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->verify(view_of(checkpoint->signed_text), checkpoint->signature));
  EXPECT_TRUE(tlog::note_fits(*tlog::parse_note(checkpoint->note), *key));
  ASSERT_TRUE(e.log->advance());
  EXPECT_EQ(e.log->checkpoint(test_caller())->note, checkpoint->note)
      << "nothing new, nothing signed";
}

TEST(AuditLogTest, ManyEntriesMakeACheckpointBySomeoneElsesWorker) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(static_cast<int>(kCheckpointEntries) - 1));
  e.t.world.run_for(seconds(1));
  EXPECT_EQ(e.size_at("/outside/latest"), 0U);
  ASSERT_TRUE(e.add(1));
  EXPECT_TRUE(e.t.world.run_until(
      [&] { return e.size_at("/outside/latest") == kCheckpointEntries; }, seconds(1)));
}

TEST(AuditLogTest, EveryEntryIsProvenOffline) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(600));
  ASSERT_TRUE(e.log->advance());
  ASSERT_TRUE(e.add(3));
  for (const std::uint64_t seq : {0U, 255U, 256U, 599U, 602U}) {
    const auto proof = e.log->prove(test_caller(), seq);
    ASSERT_TRUE(proof) << seq << ": " << proof.error().text();
    EXPECT_EQ(proof->entry.seq, seq);
    EXPECT_EQ(proof->leaf_index, seq);
    EXPECT_EQ(proof->leaf_hash, tlog::leaf_hash(view_of(proof->entry_bytes)));
    const tlog::Checkpoint& checkpoint = proof->checkpoint.checkpoint;
    EXPECT_EQ(*tlog::root_from_path(proof->leaf_hash, seq, checkpoint.size, proof->inclusion_path),
              checkpoint.root);
  }
  EXPECT_EQ(e.log->prove(test_caller(), 603).error().code, Code::not_found);
}

// The script that we give to people who trust neither us nor our programs.
TEST(AuditLogTest, AForeignScriptProvesAnEntryAndRefusesAForgedOne) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(300));
  const auto real = std::move(*os::RealSystem::make());
  const sql::TempFolder folder(real->system().files);
  const auto run = [&](const std::function<void(wire::JsonObject&)>& forge) {
    const auto proof = e.log->prove(test_caller(), 271);
    EXPECT_TRUE(proof);
    wire::JsonArray path;
    for (const tlog::Hash& hash : proof->inclusion_path) path.push_back(wire::Json(to_hex(hash)));
    wire::JsonObject bundle{
        {"entry_base64", to_base64(view_of(proof->entry_bytes))},
        {"leaf_index", proof->leaf_index},
        {"inclusion_path", path},
        {"checkpoint",
         wire::JsonObject{{"signed_base64", to_base64(view_of(proof->checkpoint.signed_text))},
                          {"signature_base64", to_base64(proof->checkpoint.signature)},
                          {"public_key", proof->checkpoint.public_key_pem}}}};
    forge(bundle);
    EXPECT_TRUE(os::replace_file(real->system().files, folder / "bundle.json",
                                 view_of(wire::json_text(bundle))));
    const auto exit = real->system().process.run({"tools/verify-proof", folder / "bundle.json"}, "",
                                                 seconds(60), 1 << 16);
    EXPECT_TRUE(exit);
    return exit.value_or(os::Exit{});
  };
  const os::Exit good = run([](wire::JsonObject&) {});
  EXPECT_EQ(good.status, 0) << good.err;
  EXPECT_TRUE(good.out.starts_with("proven: entry 271 of holdfast-audit/")) << good.out;
  const os::Exit entry = run([](wire::JsonObject& bundle) {
    std::string text =
        string_of(*from_base64(std::string_view(bundle["entry_base64"].as_string())));
    text.replace(text.find("put"), 3, "get");
    bundle["entry_base64"] = to_base64(view_of(text));
  });
  EXPECT_EQ(entry.status, 1);
  EXPECT_TRUE(entry.err.contains("not in the tree")) << entry.err;
  EXPECT_EQ(run([](wire::JsonObject& bundle) { bundle["leaf_index"] = 270; }).status, 1);
  const os::Exit size = run([](wire::JsonObject& bundle) {
    auto& checkpoint = bundle["checkpoint"].as_object();
    std::string text =
        string_of(*from_base64(std::string_view(checkpoint["signed_base64"].as_string())));
    text.replace(text.find("300"), 3, "301");
    checkpoint["signed_base64"] = to_base64(view_of(text));
  });
  EXPECT_EQ(size.status, 1);
  EXPECT_TRUE(size.err.contains("signature does not fit")) << size.err;
}

TEST(AuditLogTest, PermissionIsAudited) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(1));
  const Caller operator_caller = test_caller({Role::operator_});
  EXPECT_EQ(e.log->checkpoint(operator_caller).error().permission, "audit.read");
  EXPECT_EQ(e.log->prove(operator_caller, 0).error().permission, "audit.read");
  EXPECT_EQ(e.log->verify(operator_caller, {}).error().permission, "audit.read");
}

TEST(AuditLogTest, AWholeAuditIsFineHereAndAsACopiedFolder) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(300));
  ASSERT_TRUE(e.log->advance());
  ASSERT_TRUE(e.add(5));
  const tlog::Verdict verdict =
      e.verify({.from_seq = {}, .to_seq = {}, .checkpoints = {e.file("/outside/latest")}});
  EXPECT_TRUE(verdict.ok) << verdict.detail;
  EXPECT_EQ(verdict.entries_checked, 305U);
  EXPECT_GE(verdict.checkpoints_checked, 2U);
  const auto key = crypto::PublicKey::from_pem(e.log->checkpoint(test_caller())->public_key_pem);
  const auto folder =
      tlog::verify_folder(e.t.system().files, "/data/audit", {e.file("/outside/latest")}, {*key});
  ASSERT_TRUE(folder) << folder.error().text();
  EXPECT_TRUE(folder->ok) << folder->detail;
  EXPECT_EQ(folder->entries_checked, 300U);
}

struct Crime {
  std::string name;
  std::vector<std::string> sql;
  std::string finding;
  std::uint64_t seq;
};

class Crimes : public testing::TestWithParam<Crime> {};

TEST_P(Crimes, AreFound) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(40));
  ASSERT_TRUE(e.log->advance());
  for (const std::string& sql : GetParam().sql) e.tamper(sql);
  const tlog::Verdict verdict =
      e.verify({.from_seq = {}, .to_seq = {}, .checkpoints = {e.file("/outside/latest")}});
  EXPECT_FALSE(verdict.ok);
  EXPECT_EQ(verdict.finding, GetParam().finding) << verdict.detail;
  EXPECT_EQ(verdict.first_bad_seq, GetParam().seq) << verdict.detail;
  EXPECT_FALSE(verdict.detail.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, Crimes,
    testing::Values(
        Crime{"an_actor_is_changed",
              {"UPDATE audit SET actor='usr_else' WHERE seq=11"},
              "edited",
              11},
        Crime{"a_time_is_changed", {"UPDATE audit SET at=at+1 WHERE seq=0"}, "edited", 0},
        Crime{"a_payload_is_taken_from_elsewhere",
              {"UPDATE audit SET payload=(SELECT payload FROM audit WHERE seq=13) WHERE seq=12",
               "UPDATE audit SET payload_digest=(SELECT payload_digest FROM audit WHERE seq=13) "
               "WHERE seq=12"},
              "edited",
              12},
        Crime{"an_entry_is_removed", {"DELETE FROM audit WHERE seq=5"}, "removed", 5},
        Crime{"an_entry_is_removed_and_the_rest_moves_up",
              {"DELETE FROM audit WHERE seq=5", "UPDATE audit SET seq=-seq WHERE seq>5",
               "UPDATE audit SET seq=-seq-1 WHERE seq<0"},
              "removed",
              5},
        Crime{"two_entries_change_places",
              {"UPDATE audit SET seq=-1 WHERE seq=8", "UPDATE audit SET seq=8 WHERE seq=9",
               "UPDATE audit SET seq=9 WHERE seq=-1"},
              "reordered",
              8},
        Crime{"the_tail_is_cut", {"DELETE FROM audit WHERE seq>=30"}, "cut_tail", 30},
        Crime{"the_tail_is_cut_with_its_checkpoint",
              {"DELETE FROM audit WHERE seq>=30", "DELETE FROM audit_checkpoint"},
              "cut_tail",
              30},
        Crime{"the_beginning_is_cut", {"DELETE FROM audit WHERE seq<3"}, "removed", 0}),
    [](const auto& crime) { return crime.param.name; });

TEST(AuditLogTest, AnErasedPayloadIsNoCrime) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(20));
  ASSERT_TRUE(e.log->advance());
  ASSERT_TRUE(e.t.store().change(test_caller(), "erase", [&](Change& change) -> Status {
    EXPECT_EQ(TRY(audit::erase_payloads(change.tx(), "site_3")), 3U);
    return change.audit("site_3", "", "");
  }));
  const tlog::Verdict verdict = e.verify();
  EXPECT_TRUE(verdict.ok) << verdict.detail;
  EXPECT_TRUE(e.log->prove(test_caller(), 3)->entry.erased);
}

TEST(AuditLogTest, APartIsCheckedByItself) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(40));
  e.tamper("UPDATE audit SET actor='usr_else' WHERE seq=11");
  EXPECT_TRUE(e.verify({.from_seq = 12, .to_seq = 20, .checkpoints = {}}).ok);
  EXPECT_EQ(e.verify({.from_seq = 12, .to_seq = 20, .checkpoints = {}}).entries_checked, 9U);
  EXPECT_EQ(e.verify({.from_seq = 10, .to_seq = 20, .checkpoints = {}}).first_bad_seq, 11U);
  EXPECT_EQ(
      e.log
          ->verify(test_caller(),
                   {.from_seq = {}, .to_seq = {}, .checkpoints = std::vector<std::string>(1'001)})
          .error()
          .code,
      Code::invalid_argument);
}

TEST(AuditLogTest, AForgedCheckpointIsABadSignature) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(3));
  ASSERT_TRUE(e.log->advance());
  std::string note = e.file("/outside/latest");
  note.replace(note.find("\n3\n"), 3, "\n4\n");
  EXPECT_EQ(e.verify({.from_seq = {}, .to_seq = {}, .checkpoints = {note}}).finding,
            "bad_signature");
}

TEST(AuditLogTest, ALostTreeIsMadeAnew) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(700));
  ASSERT_TRUE(e.log->advance());
  e.stop();
  ASSERT_TRUE(os::remove_tree(e.t.system().files, "/data/audit"));
  ASSERT_TRUE(e.start());
  EXPECT_TRUE(e.log->prove(test_caller(), 650));
  EXPECT_TRUE(e.verify().ok);
  EXPECT_FALSE(e.t.metrics.text().contains("holdfast_audit_broken 1"));
  EXPECT_EQ(e.size_at("/data/audit/checkpoint"), 700U);
}

TEST(AuditLogTest, ACutTailIsNotSignedAwayAndTheCopyOutsideStays) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(40));
  ASSERT_TRUE(e.log->advance());
  const std::string evidence = e.file("/outside/latest");
  e.stop();
  e.tamper("DELETE FROM audit WHERE seq>=30");
  e.tamper("DELETE FROM audit_checkpoint");
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(20));  // more than were cut
  ASSERT_TRUE(e.log->advance());
  EXPECT_EQ(e.file("/outside/latest"), evidence);
  EXPECT_NE(e.file("/outside/diverged"), "");
  EXPECT_TRUE(e.t.metrics.text().contains("holdfast_audit_broken 1"));
  EXPECT_EQ(e.verify({.from_seq = {}, .to_seq = {}, .checkpoints = {evidence}}).finding, "edited");
}

TEST(AuditLogTest, RowsThatDoNotFitAreAnAlarmAtTheStart) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(e.add(40));
  ASSERT_TRUE(e.log->advance());
  e.stop();
  e.tamper("DELETE FROM audit WHERE seq>=30");
  ASSERT_TRUE(e.start()) << "the server goes on, the alarm rings";
  EXPECT_TRUE(e.t.metrics.text().contains("holdfast_audit_broken 1"));
  EXPECT_TRUE(e.t.log_lines.contains("do not fit its newest checkpoint"));
}

TEST(AuditLogTest, DaysThatAreOverKeepTheirLastCheckpoint) {
  Evidence e;
  ASSERT_TRUE(e.start());
  for (int day = 0; day < 5; ++day) {
    for (int n = 0; n < 3; ++n) {
      ASSERT_TRUE(e.add(1));
      ASSERT_TRUE(e.log->advance());
    }
    e.t.world.run_for(days(1));
  }
  std::int64_t kept = 0;
  ASSERT_TRUE(e.t.store().read([&](sql::Tx& tx) -> Status {
    kept = TRY(tx.number("SELECT count(*) FROM audit_checkpoint"));
    return {};
  }));
  EXPECT_EQ(kept, 1 + 1 + 3 + 3 + 3) << "two days are kept whole, and the present one";
  EXPECT_EQ(e.size_at("/outside/2026-01-02"), 6U);
  EXPECT_EQ(e.size_at("/outside/2026-01-05"), 15U);
  EXPECT_TRUE(e.verify().ok);
}

TEST(AuditLogTest, NoCopyIsAnErrorInTheLogOnly) {
  Evidence e;
  ASSERT_TRUE(e.start());
  ASSERT_TRUE(os::replace_file(e.t.system().files, "/outside",
                               view_of("a file where the folder should be")));
  ASSERT_TRUE(e.add(1));
  EXPECT_TRUE(e.log->advance());
  EXPECT_TRUE(e.t.metrics.text().contains("holdfast_audit_copy_failures_total 1"));
}

// The power goes at every operation while entries are written and checkpoints are made: afterwards
// the audit is whole, and fits the checkpoint that was copied outside.
TEST(AuditLogCrash, TheEvidenceHoldsAtEveryCut) {
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    Evidence e(extra);
    ASSERT_TRUE(e.start());
    ASSERT_TRUE(e.add(20));
    ASSERT_TRUE(e.log->advance());
    e.t.node.disk().crash_at(e.t.node.disk().operations() + extra);
    if (e.add(4)) (void)e.log->advance();
    if (e.t.node.up()) break;
    ++cuts;
    e.stop();
    e.t.crash();
    ASSERT_TRUE(e.t.open());
    const Status started = e.start();
    ASSERT_TRUE(started) << started.error().text();
    const tlog::Verdict verdict =
        e.verify({.from_seq = {}, .to_seq = {}, .checkpoints = {e.file("/outside/latest")}});
    EXPECT_TRUE(verdict.ok) << verdict.detail << " cut at " << extra;
    EXPECT_FALSE(e.t.metrics.text().contains("holdfast_audit_broken 1")) << extra;
    ASSERT_TRUE(e.add(3));
    ASSERT_TRUE(e.log->advance());
    EXPECT_TRUE(e.log->prove(test_caller(), 22)) << extra;
  }
  EXPECT_GT(cuts, 10);
  std::printf("cut points of the audit's tree: %d\n", cuts);
}

}  // namespace
}  // namespace holdfast::core
