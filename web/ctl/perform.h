// What each command does. One function per command, found by overload.
#pragma once

#include "web/ctl/session.h"

namespace runbookd::ctl {

Exit perform(Session& session, PlanLint const& command);
Exit perform(Session& session, PlanShow const& command);
Exit perform(Session& session, PlanSchema const& command);
Exit perform(Session& session, PlanUpload const& command);
Exit perform(Session& session, PlanList const& command);
Exit perform(Session& session, PlanImport const& command);
Exit perform(Session& session, PlanRender const& command);
Exit perform(Session& session, PlanDiff const& command);
Exit perform(Session& session, PlanDerive const& command);
Exit perform(Session& session, SqlExplain const& command);
Exit perform(Session& session, SqlLint const& command);
Exit perform(Session& session, SqlRules const& command);
Exit perform(Session& session, RunCreate const& command);
Exit perform(Session& session, RunList const& command);
Exit perform(Session& session, RunShow const& command);
Exit perform(Session& session, Start const& command);
Exit perform(Session& session, Advance const& command);
Exit perform(Session& session, Approve const& command);
Exit perform(Session& session, Reject const& command);
Exit perform(Session& session, Withdraw const& command);
Exit perform(Session& session, Override const& command);
Exit perform(Session& session, Countersign const& command);
Exit perform(Session& session, NoteRun const& command);
Exit perform(Session& session, HoldSet const& command);
Exit perform(Session& session, HoldLift const& command);
Exit perform(Session& session, HoldShow const& command);
Exit perform(Session& session, Evaluate const& command);
Exit perform(Session& session, ConfirmStep const& command);
Exit perform(Session& session, Pause const& command);
Exit perform(Session& session, Throttle const& command);
Exit perform(Session& session, Resume const& command);
Exit perform(Session& session, Retry const& command);
Exit perform(Session& session, Skip const& command);
Exit perform(Session& session, Resolve const& command);
Exit perform(Session& session, Rollback const& command);
Exit perform(Session& session, Cancel const& command);
Exit perform(Session& session, Status const& command);
Exit perform(Session& session, Watch const& command);
Exit perform(Session& session, Events const& command);
Exit perform(Session& session, Locks const& command);
Exit perform(Session& session, Preflight const& command);
Exit perform(Session& session, TokenCreate const& command);
Exit perform(Session& session, TokenList const& command);
Exit perform(Session& session, TokenRevoke const& command);
Exit perform(Session& session, RunReport const& command);
Exit perform(Session& session, AuditSearch const& command);
Exit perform(Session& session, AuditExport const& command);
Exit perform(Session& session, AuditVerify const& command);
Exit perform(Session& session, AuditKey const& command);
Exit perform(Session& session, AuditCheckpoint const& command);
Exit perform(Session& session, Login const& command);
Exit perform(Session& session, Logout const& command);
Exit perform(Session& session, WhoAmI const& command);
Exit perform(Session& session, Version const& command);

}  // namespace runbookd::ctl
