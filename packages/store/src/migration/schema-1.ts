/**
 * Schema version 1. Instants are epoch ms, booleans 0 or 1, objects JSON text; columns follow the row types of domain/port/store.ts.
 * Frozen with the first release: later changes are new versions.
 */
export const SCHEMA_1 = `
create table database_boot (
  id integer primary key check (id = 1),
  epoch integer not null
) strict;
insert into database_boot (id, epoch) values (1, 0);

create table database_sequence (
  name text primary key,
  value integer not null
) strict;

create table audit_event (
  seq integer primary key,
  at integer not null,
  action text not null,
  actor text not null,
  subject text not null,
  workspace text,
  context text,
  data text not null,
  previous_hash text not null,
  hash text not null
) strict;
create index audit_event_subject on audit_event (subject, seq);
create trigger audit_event_keep before delete on audit_event
  begin select raise(abort, 'the audit log is append-only'); end;
create trigger audit_event_fixed before update on audit_event
  begin select raise(abort, 'the audit log is append-only'); end;

create table audit_checkpoint (
  seq integer primary key,
  hash text not null,
  at integer not null,
  key_id text not null,
  signature text not null
) strict;

create table journal_work (
  seq integer primary key,
  id text not null unique,
  workflow text not null,
  key text not null,
  lane text not null,
  input text not null,
  not_before integer not null,
  state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  attempts integer not null,
  epoch integer,
  error text
) strict;
-- Work that is over is looked for by its id alone, so the queue's own indexes stay as short as the queue.
create index journal_work_key on journal_work (key, state, seq) where state = 'queued' or state = 'running';
create index journal_work_lane on journal_work (state, lane, seq) where state = 'queued' or state = 'running';
create index journal_work_due on journal_work (not_before) where state = 'queued' and not_before > 0;

create table journal_step (
  work text not null,
  name text not null,
  value text not null,
  unique (work, name)
) strict;

create table workspace (
  id text not null unique,
  title text not null,
  kind text not null,
  owner text not null,
  outside_edits text not null,
  settings text not null,
  created_at integer not null
) strict;

create table context (
  id text not null unique,
  workspace text not null,
  kind text not null,
  openness text not null,
  connector text not null,
  account text not null,
  channel text not null,
  direct_with text,
  owner text not null,
  settings text not null,
  created_at integer not null,
  unique (connector, account, channel)
) strict;
create index context_workspace on context (workspace);

create table context_conversation (
  id text not null unique,
  workspace text not null,
  context text not null,
  key text not null,
  is_open integer not null,
  created_at integer not null,
  last_at integer not null
) strict;
create index context_conversation_key on context_conversation (context, key, is_open);

create table context_message (
  seq integer primary key,
  id text not null unique,
  conversation text not null,
  workspace text not null,
  context text not null,
  direction text not null,
  sender text not null,
  sender_name text not null,
  text text not null,
  label text not null,
  is_promptable integer not null,
  run text,
  external_id text,
  attachments text,
  at integer not null
) strict;
create index context_message_conversation on context_message (conversation);
create index context_message_context on context_message (context, at);

-- Places that are bound to nothing.
create table context_seen (
  connector text not null,
  account text not null,
  channel text not null,
  kind text not null,
  title text not null,
  within text,
  first_seen_at integer not null,
  last_seen_at integer not null,
  is_gone integer not null,
  unique (connector, account, channel)
) strict;

create table identity_user (
  id text not null unique,
  name text not null unique,
  display_name text not null,
  is_active integer not null,
  created_at integer not null
) strict;

create table identity_link (
  id text not null unique,
  connector text not null,
  external_id text not null,
  user text not null,
  display_name text not null,
  created_at integer not null,
  context text,
  mirror_agreed_at integer,
  unique (connector, external_id)
) strict;
create index identity_link_user on identity_link (user);

create table identity_grant (
  id text not null unique,
  principal text not null,
  role text not null,
  scope text not null,
  granted_by text not null,
  created_at integer not null,
  expires_at integer
) strict;
create index identity_grant_principal on identity_grant (principal);

create table identity_token (
  id text not null unique,
  name text not null,
  secret_hash text not null unique,
  workspace text not null,
  context text not null,
  owner text not null,
  created_at integer not null,
  expires_at integer,
  revoked_at integer
) strict;

create table identity_key (
  id text not null unique,
  user text not null,
  public_key_pem text not null,
  name text not null,
  created_at integer not null,
  revoked_at integer
) strict;
create index identity_key_user on identity_key (user);

create table identity_certificate (
  id text not null unique,
  key text not null,
  user text not null,
  issuer text not null,
  created_at integer not null,
  expires_at integer not null,
  revoked_at integer
) strict;
create index identity_certificate_key on identity_certificate (key);

create table identity_invite (
  id text not null unique,
  user text not null,
  proof_key text not null,
  created_at integer not null,
  expires_at integer not null,
  used_at integer
) strict;

-- Of the code only a digest. One that waits per sender.
create table identity_pairing (
  id text not null unique,
  connector text not null,
  account text not null,
  external_id text not null,
  channel text not null,
  display_name text not null,
  code_hash text not null unique,
  created_at integer not null,
  expires_at integer not null,
  unique (connector, external_id)
) strict;

-- The admin hub of a connector, and requests to be it.
create table hub (
  id text not null unique,
  state text not null check (state in ('asked', 'active')),
  connector text not null,
  account text not null,
  channel text not null,
  context text not null,
  workspace text not null,
  asked_by text not null,
  asked_at integer not null,
  expires_at integer not null,
  cleared_for text not null,
  approved_by text,
  approved_at integer
) strict;
create unique index hub_one on hub (connector) where state = 'active';
create unique index hub_asked on hub (connector, account, channel) where state = 'asked';

create table ingest_event (
  source text not null,
  external_id text not null,
  task text,
  run text,
  outcome text not null,
  reply text,
  is_queued integer,
  digest text not null,
  at integer not null,
  unique (source, external_id)
) strict;

create table task (
  id text not null unique,
  kind text not null,
  title text not null,
  workspace text not null,
  context text not null,
  conversation text not null,
  requester text not null,
  requester_name text not null,
  door text not null,
  parent text,
  created_at integer not null
) strict;
create index task_workspace on task (workspace, created_at);
create index task_parent on task (parent) where parent is not null;

create table task_intent (
  id text not null unique,
  state text not null check (state in ('asked', 'begun', 'superseded', 'expired')),
  workspace text not null,
  context text not null,
  conversation text not null,
  message text not null,
  requester text not null,
  kind text not null,
  text text not null,
  label text not null,
  card text,
  task text,
  run text,
  created_at integer not null,
  expires_at integer not null
) strict;
create index task_intent_open on task_intent (conversation) where state = 'asked';

create table run (
  id text not null unique,
  task text not null,
  workspace text not null,
  context text not null,
  conversation text not null,
  input text not null,
  state text not null,
  attempt integer not null,
  label text not null,
  created_at integer not null,
  started_at integer,
  finished_at integer,
  output text,
  citations text,
  pending_approvals text not null,
  error text
) strict;
create index run_state on run (state, conversation);
create index run_task on run (task);

create table effect (
  id text not null unique,
  kind text not null,
  sink text not null,
  recipients text not null,
  payloads text not null,
  class text not null,
  workspace text not null,
  context text not null,
  task text,
  run text,
  tool text,
  requester text not null,
  label text not null,
  digest text not null,
  state text not null,
  decision text not null,
  approval text,
  summary text not null,
  supersedes text,
  created_at integer not null,
  expires_at integer,
  not_before integer not null,
  attempts integer not null,
  receipts text not null,
  claim_epoch integer,
  error text,
  settled_at integer
) strict;
create index effect_state on effect (state, not_before);
create index effect_task on effect (task, state);
create index effect_workspace on effect (workspace, created_at);

create table approval (
  id text not null unique,
  effect text not null,
  digest text not null,
  workspace text not null,
  context text not null,
  tier text not null,
  state text not null,
  approver_role text not null,
  needed integer not null,
  releasers text not null,
  requester_person text,
  votes text not null,
  standing text,
  created_at integer not null,
  expires_at integer not null,
  decided_at integer
) strict;
create index approval_effect on approval (effect);
create index approval_state on approval (state, expires_at);
create index approval_workspace on approval (workspace, state);

create table approval_standing (
  id text not null unique,
  workspace text not null,
  effect_kind text not null,
  connector text not null,
  account text not null,
  body text not null,
  recipients text not null,
  per_day integer not null,
  max_uses integer not null,
  ends_at integer not null,
  granted_by text not null,
  created_at integer not null,
  uses text not null,
  revoked_at integer
) strict;
create index approval_standing_workspace on approval_standing (workspace, effect_kind);

create table approval_button (
  id text not null unique,
  act text not null,
  context text not null,
  card text not null,
  approval text,
  digest text,
  intent text,
  person text,
  created_at integer not null,
  expires_at integer not null,
  used_at integer
) strict;
create index approval_button_approval on approval_button (approval) where approval is not null;
create index approval_button_card on approval_button (card);
create index approval_button_expires on approval_button (expires_at);
-- Cards whose last word has not been shown yet; the sweep looks through them.
create index approval_button_unused on approval_button (act) where used_at is null;

-- What connectors must find again after a restart; values are sealed.
create table connectors_memory (
  source text not null,
  key text not null,
  value text not null,
  at integer not null,
  unique (source, key)
) strict;

create table ledger_entry (
  id text not null unique,
  workspace text not null,
  sender text not null,
  run text,
  route text not null,
  state text not null check (state in ('reserved', 'settled', 'released')),
  tokens integer not null,
  cost_usd_micros integer not null,
  at integer not null
) strict;
create index ledger_entry_workspace on ledger_entry (workspace, at);
create index ledger_entry_sender on ledger_entry (sender, at);

create table label_file (
  workspace text not null,
  path text not null,
  hash text not null,
  label text not null,
  is_current integer not null,
  is_good integer not null,
  by text not null,
  at integer not null,
  unique (workspace, path, hash)
) strict;
create index label_file_hash on label_file (workspace, hash);
create index label_file_current on label_file (workspace, path, is_current);

create table label_entry (
  workspace text not null,
  path text not null,
  hash text not null,
  label text not null,
  at integer not null,
  unique (workspace, path, hash)
) strict;

create table memory_change (
  id text not null unique,
  workspace text not null,
  path text not null,
  before text not null,
  after text not null,
  by text not null,
  run text,
  at integer not null,
  undone_at integer
) strict;
create index memory_change_path on memory_change (workspace, path, at);

create table notify_notice (
  key text not null unique,
  at integer not null
) strict;

create table gate_state (
  id text not null unique check (id = 'gate'),
  is_closed integer not null,
  reason text not null,
  at integer not null
) strict;
`;
