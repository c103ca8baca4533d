// The tables of server/core, as migrations. A released migration is never changed: add another.
#include "server/core/migrate.hpp"

namespace holdfast::core {

namespace {

constexpr std::string_view kAuditAndNotices = R"(
CREATE TABLE audit (
  seq {int} PRIMARY KEY,            -- from 0, without gaps: the entry's index in the tree
  at {int} NOT NULL,
  actor {text} NOT NULL,
  action {text} NOT NULL,
  object {text} NOT NULL,
  request_id {text},
  payload {blob},                   -- sealed: salt, before, after; NULL when erased
  payload_digest {blob} NOT NULL,
  prev_hash {blob} NOT NULL,
  hash {blob} NOT NULL
) {strict};
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_object ON audit (object, seq);

CREATE TABLE audit_checkpoint (
  tree_size {int} PRIMARY KEY,
  at {int} NOT NULL,
  note {text} NOT NULL              -- C2SP tlog-checkpoint, signed
) {strict};

CREATE TABLE notice (
  seq {int} PRIMARY KEY,            -- from 1; the newest row is never deleted, it holds the count
  name {text} NOT NULL,
  at {int} NOT NULL,
  payload {text} NOT NULL,
  actor {text} NOT NULL,
  request_id {text},
  audit_seq {int},
  site_id {id}
) {strict};

CREATE TABLE notice_cursor (
  subscriber {text} PRIMARY KEY,
  seq {int} NOT NULL,
  touched_at {int} NOT NULL         -- last start; forgotten subscribers hold nothing back for ever
) {strict};

CREATE TABLE notice_parked (
  subscriber {text} NOT NULL,
  seq {int} NOT NULL,
  name {text} NOT NULL,
  payload {text} NOT NULL,
  at {int} NOT NULL,
  code {text} NOT NULL,
  message {text} NOT NULL,
  PRIMARY KEY (subscriber, seq)
) {strict};
)";

constexpr std::string_view kPeople = R"(
CREATE TABLE person (
  id {id} PRIMARY KEY,
  name {text} NOT NULL,
  name_key {text} NOT NULL,         -- lower case: names are unique without it
  password {text} NOT NULL,         -- Argon2id, encoded with its parameters
  roles {text} NOT NULL,
  sites {text},                     -- NULL: all
  disabled {bool} NOT NULL,
  last_sign_in {int},
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  revision {int} NOT NULL
) {strict};
CREATE UNIQUE INDEX person_name ON person (name_key);

CREATE TABLE api_token (
  id {text} PRIMARY KEY,            -- tok_... or svc_...
  kind {text} NOT NULL,
  name {text} NOT NULL,
  roles {text} NOT NULL,
  sites {text},
  person_id {id},
  digest {blob} NOT NULL,           -- SHA-256 of the secret
  expires_at {int},
  revoked_at {int},
  last_used_at {int},
  last_used_address {text},
  created_by {text} NOT NULL,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  revision {int} NOT NULL
) {strict};
CREATE UNIQUE INDEX api_token_digest ON api_token (digest);
CREATE INDEX api_token_person ON api_token (person_id);

CREATE TABLE person_session (
  id {text} PRIMARY KEY,            -- ses_...
  digest {blob} NOT NULL,
  person_id {id} NOT NULL REFERENCES person (id),
  address {text} NOT NULL,
  created_at {int} NOT NULL,
  last_used_at {int} NOT NULL
) {strict};
CREATE UNIQUE INDEX person_session_digest ON person_session (digest);
CREATE INDEX person_session_person ON person_session (person_id, created_at);

CREATE TABLE one_time_secret (
  kind {text} PRIMARY KEY,          -- setup, bootstrap
  digest {blob} NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int}
) {strict};
)";

constexpr std::string_view kJobs = R"(
CREATE TABLE job (
  id {id} PRIMARY KEY,
  kind {text} NOT NULL,
  object {text} NOT NULL,
  job_key {text},                   -- one scheduled job per kind and key
  payload {text} NOT NULL,
  state {text} NOT NULL,
  run_at {int} NOT NULL,
  interval_us {int},
  attempts {int} NOT NULL,
  max_attempts {int} NOT NULL,
  deadline {int},
  lease {text},                     -- who runs it
  lease_until {int},
  last_code {text},
  last_message {text},
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL
) {strict};
CREATE INDEX job_due ON job (state, run_at);
CREATE INDEX job_kind ON job (kind, id);
CREATE UNIQUE INDEX job_once ON job (kind, job_key) WHERE state = 'scheduled';

CREATE TABLE idempotent_answer (
  call {blob} PRIMARY KEY,          -- SHA-256 of caller, operation and key
  body_digest {blob} NOT NULL,
  status {int} NOT NULL,
  answer {blob} NOT NULL,           -- sealed: headers and body
  at {int} NOT NULL
) {strict};
CREATE INDEX idempotent_answer_at ON idempotent_answer (at);
)";

constexpr std::string_view kAuditKey = R"(
CREATE TABLE audit_key (
  name {text} PRIMARY KEY,
  sealed {blob} NOT NULL,           -- PKCS#8 of the Ed25519 key that signs checkpoints
  created_at {int} NOT NULL
) {strict};
)";

}  // namespace

std::vector<Migration> core_migrations() {
  return {
      {"core", 1, "audit and notices", kAuditAndNotices, nullptr},
      {"core", 2, "people, tokens, sessions", kPeople, nullptr},
      {"core", 3, "jobs and idempotent answers", kJobs, nullptr},
      {"core", 4, "the audit's key", kAuditKey, nullptr},
  };
}

}  // namespace holdfast::core
