// Seeded bugs of our own: RUNBOOKD_MUTANT=name switches one on, to prove that a test notices it
// (tests/chaos/mutants.py runs each against the tests that are named here). Only in builds with
// RUNBOOKD_TEST_HOOKS; in all others `mutant` is false at compile time.
#pragma once

#include <array>
#include <string_view>

namespace runbookd::planner {

// name, what it breaks, the cheapest command that notices it
#define RUNBOOKD_MUTANTS(MUTANT)                                                                   \
  MUTANT(no_marker, "a step leaves no marker", "target transactional_test")                        \
  MUTANT(marker_first, "the marker is committed before the step's transaction",                    \
         "chaos transactional")                                                                    \
  MUTANT(failed_commit_is_done, "a COMMIT that failed counts as done",                             \
         "target transactional_test")                                                              \
  MUTANT(role_keeps, "the marker is written as the role that the plan set",                        \
         "target transactional_test")                                                              \
  MUTANT(doubt_not_looked_at, "doubt is settled as not applied without looking",                   \
         "target doubt_test")                                                                      \
  MUTANT(doubt_always_applied, "doubt is settled as applied without looking", "target doubt_test") \
  MUTANT(old_backend_ignored, "doubt does not wait for the old session", "target doubt_test")      \
  MUTANT(fence_not_looked_at, "a daemon that was overtaken goes on writing", "target fence_test")  \
  MUTANT(fence_taken_unasked, "a copied store takes the target over without being told to",        \
         "target fence_test")                                                                      \
  MUTANT(old_session_raced, "a statement is sent while an older session may send it too",          \
         "target fence_test")                                                                      \
  MUTANT(failover_unseen, "a promoted standby is taken for the old primary",                       \
         "target identity_test")                                                                   \
  MUTANT(backfill_begins_anew, "a resumed backfill begins with the first row again",               \
         "target backfill_test")                                                                   \
  MUTANT(invalid_index_applied, "doubt takes an invalid index for a finished one",                 \
         "target outside_test")                                                                    \
  MUTANT(index_exists_is_done, "a retry takes any index of that name for its own",                 \
         "target concurrent_test")                                                                 \
  MUTANT(foreign_index_dropped, "an invalid index of somebody else is dropped",                    \
         "target concurrent_test")                                                                 \
  MUTANT(check_error_passes, "an error in a check counts as passed", "planner gate_test")          \
  MUTANT(check_null_passes, "NULL counts as passed", "planner gate_test")                          \
  MUTANT(check_no_row_passes, "no row counts as passed", "planner gate_test")                      \
  MUTANT(gate_opens_on_old_evidence, "a phase is entered without a new look at the one before",    \
         "model")                                                                                  \
  MUTANT(checks_may_write, "a check runs in a transaction that may write", "target check_test")    \
  MUTANT(limits_not_set, "a step's transaction has no lock timeout", "target transactional_test")  \
  MUTANT(lost_is_retried, "an attempt whose end nobody heard is simply tried again", "model")      \
  MUTANT(restart_forgets_attempt, "a restart forgets the attempt that was under way", "model")     \
  MUTANT(attempt_number_reused, "a second attempt has the first one's number", "model")            \
  MUTANT(mismatch_ignored, "a schema that differs after a reversal is accepted", "e2e life_test")  \
  MUTANT(rollback_in_order, "steps are taken back in the order they were done", "model")           \
  MUTANT(skipped_is_taken_back, "a step that was skipped is taken back", "model")                  \
  MUTANT(paused_while_active, "a run is called paused while a step is under way",                  \
         "e2e crash_test")                                                                         \
  MUTANT(chain_without_past, "an event's hash leaves out the one before", "store chain_test")      \
  MUTANT(any_revision_appends, "events are appended to a journal that has moved on",               \
         "store journal_append_test")                                                              \
  MUTANT(second_daemon_let_in, "two daemons open one store", "store store_open_test")              \
  MUTANT(replaced_store_ignored, "a store whose file was replaced is written on",                  \
         "store store_check_test")                                                                 \
  MUTANT(target_not_claimed, "a second run starts on a target that is busy", "e2e life_test")      \
  MUTANT(any_revision_commands, "a command against an older revision is carried out",              \
         "e2e verbs_test")                                                                         \
  MUTANT(dead_line_waited_for, "an answer is waited for on a connection whose backend is gone",    \
         "faults connection half open")                                                            \
  MUTANT(acts_before_recording, "a step begins before the journal knows of it", "e2e store_test")

enum class Mutant {
#define RUNBOOKD_MUTANT(name, meaning, notices) name,
  RUNBOOKD_MUTANTS(RUNBOOKD_MUTANT)
#undef RUNBOOKD_MUTANT
};

inline constexpr auto mutant_names = std::to_array<std::string_view>({
#define RUNBOOKD_MUTANT(name, meaning, notices) #name,
    RUNBOOKD_MUTANTS(RUNBOOKD_MUTANT)
#undef RUNBOOKD_MUTANT
});

#ifdef RUNBOOKD_TEST_HOOKS
bool mutant(Mutant one);
#else
constexpr bool mutant(Mutant) { return false; }
#endif

}  // namespace runbookd::planner
