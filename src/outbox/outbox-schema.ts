// What an outbox needs in the database, as SQL that may be run again.
//
//   <table>           the rows, until they are relayed and have been kept for a while
//   millrace_outboxes, in the same schema: who relays which table, and how far
//   millrace_inbox    what consumers have handled; see sqlInbox
//   millrace_sinks    how far each sink is; see definePostgresSink
//
// `lsn` is where the write-ahead log was when the row was made: unlike a sequence, it follows the order of commits and
// later inserts in every session, whatever is cached; see relay-place.ts. The transaction has to have its number before the
// log is looked at, which `case` sees to.
import type { SqlClient } from '../sql/sql-client.js'

const TABLE = /^(?:[a-z_][a-z0-9_]{0,50}\.)?[a-z_][a-z0-9_]{0,50}$/

/** Whether it can be written without quotes, alone or behind a schema. */
export function isTableName(name: unknown): name is string {
  return typeof name === 'string' && TABLE.test(name)
}

/** A table of Millrace’s own beside another one, in its schema. */
export function besideTable(table: string, name: string): string {
  const dot = table.indexOf('.')
  return dot < 0 ? name : `${table.slice(0, dot)}.${name}`
}

/** What is notified when rows were committed. */
export function channelOf(table: string): string {
  return `millrace_${table.replace('.', '_')}`.slice(0, 63)
}

/** The statements that make what an outbox needs, in order. Each may be repeated. */
export function outboxSql(table: string): readonly string[] {
  const own = table.slice(table.indexOf('.') + 1)
  const notify = besideTable(table, 'millrace_outbox_notify')
  return [
    `create table if not exists ${table} (
  position       bigint generated always as identity,
  lsn            pg_lsn      not null default case when pg_current_xact_id() is not null then pg_current_wal_insert_lsn() end,
  xid            xid8        not null default pg_current_xact_id(),
  id             text        not null default gen_random_uuid()::text,
  type           text        not null,
  version        int         not null default 1,
  key            text,
  source         text,
  time           timestamptz,
  correlation_id text,
  causation_id   text,
  attributes     json,
  data           json,
  created_at     timestamptz not null default clock_timestamp(),
  attempts       int         not null default 0,
  error          text,
  primary key (lsn, position)
)`,
    `create table if not exists ${besideTable(table, 'millrace_outboxes')} (
  name       text primary key,
  owner      text not null default '',
  generation bigint not null default 0,
  until      timestamptz not null default '-infinity',
  place      json,
  relayed    bigint not null default 0,
  updated_at timestamptz not null default clock_timestamp()
)`,
    `create or replace function ${notify}() returns trigger language plpgsql as $$
begin
  perform pg_notify(tg_argv[0], '');
  return null;
end $$`,
    `drop trigger if exists ${own}_notify on ${table}`,
    `create trigger ${own}_notify after insert on ${table}
  for each statement execute function ${notify}('${channelOf(table)}')`,
  ]
}

/** The statements for sqlInbox. */
export function inboxSql(table: string): readonly string[] {
  const own = table.slice(table.indexOf('.') + 1)
  return [
    `create table if not exists ${table} (
  name       text not null,
  id         text not null,
  created_at timestamptz not null default now(),
  primary key (name, id)
)`,
    `create index if not exists ${own}_age on ${table} (created_at)`,
  ]
}

/** The statements for definePostgresSink. */
export function sinkSql(table: string): readonly string[] {
  return [
    `create table if not exists ${table} (
  name       text primary key,
  stream     text not null,
  version    int not null default 1,
  generation bigint not null default 0,
  owner      text not null default '',
  until      timestamptz not null default '-infinity',
  position   bigint not null default 0,
  updated_at timestamptz not null default clock_timestamp(),
  stream_created text not null default ''
)`,
    // a table of before; altering takes a lock that others wait for, so that it is done once
    `do $$ begin
  if not exists (select from pg_attribute where attrelid = to_regclass('${table}') and attname = 'stream_created') then
    alter table ${table} add column if not exists stream_created text not null default '';
  end if;
end $$`,
  ]
}

/** Runs such statements in one transaction; who does the same at the same time waits. */
export async function migrate(client: SqlClient, statements: readonly string[]): Promise<void> {
  await client.transaction(async (query) => {
    await query("select pg_advisory_xact_lock(hashtext('millrace_schema'))")
    for (const statement of statements) await query(statement)
  })
}
