import { randomUUID } from 'node:crypto';
import type { StoreClient } from './store-client.js';

/** Texts are compared byte by byte everywhere, so that lists have one order. */
const textOf = ({ dialect }: Pick<StoreClient, 'dialect'>): string =>
  dialect === 'postgres' ? 'text collate "C"' : 'text';

/** Each is done once, in this order, and never changed after a release. */
const migrations: readonly ((text: string) => readonly string[])[] = [
  (text) => [
    `create table alert_store_meta (name ${text} primary key, value ${text} not null)`,
    `create table alert_store_alerts (
      kind ${text} not null, id ${text} not null, added_at bigint not null, detected_at bigint not null,
      key ${text} not null, key_field ${text} not null, pattern ${text} not null, severity ${text} not null,
      score double precision not null, verdict ${text}, words ${text} not null, alert ${text} not null,
      primary key (kind, id))`,
    'create index alert_store_alerts_time on alert_store_alerts (kind, detected_at, id)',
    'create index alert_store_alerts_key on alert_store_alerts (kind, key, detected_at, id)',
    'create index alert_store_alerts_pattern on alert_store_alerts (kind, pattern, detected_at, id)',
    'create index alert_store_alerts_added on alert_store_alerts (added_at, id)',
    `create table alert_store_feedback (
      id ${text} primary key, alert_id ${text} not null, verdict ${text} not null, note ${text} not null,
      author ${text} not null, at bigint not null)`,
    'create index alert_store_feedback_alert on alert_store_feedback (alert_id, at, id)',
    `create table alert_store_snoozes (
      id ${text} primary key, key ${text} not null, pattern ${text}, ends_at bigint not null, reason ${text} not null,
      author ${text} not null, at bigint not null)`,
    'create index alert_store_snoozes_key on alert_store_snoozes (key, ends_at)',
  ],
  (text) => [
    `create table alert_store_audit (
      id ${text} primary key, at bigint not null, author ${text} not null, role ${text} not null,
      known_by ${text} not null, action ${text} not null, status integer not null, detail ${text} not null,
      address ${text} not null)`,
    'create index alert_store_audit_at on alert_store_audit (at, id)',
    `create table alert_store_replies (
      key ${text} primary key, digest ${text} not null, begun_at bigint not null, status integer, body ${text})`,
    'create index alert_store_replies_at on alert_store_replies (begun_at)',
  ],
];

/** Any number that no other program is likely to lock. */
const LOCK = 7_263_402_119;

/** Brings the tables to what this version needs, while nobody else does; answers with the id of what is stored. Throws `AlertStoreError`. */
export function migrate(client: StoreClient, now: number): Promise<string> {
  return client.transaction(async (tx) => {
    if (client.dialect === 'postgres') await tx.all('select pg_advisory_xact_lock(?)', [LOCK]);
    await tx.all('create table if not exists alert_store_migrations (n integer primary key, at bigint not null)');
    const [row] = await tx.all<{ n: number | null }>('select max(n) as n from alert_store_migrations');
    const done = Number(row?.n ?? 0);
    if (done > migrations.length)
      throw new AlertStoreError(
        `the tables of alerts are of a later version (${done}, this one knows ${migrations.length}): start that version, or give this one another database`,
      );
    for (const [index, statements] of migrations.entries()) {
      if (index < done) continue;
      for (const statement of statements(textOf(client))) await tx.all(statement);
      await tx.all('insert into alert_store_migrations (n, at) values (?, ?)', [index + 1, now]);
    }
    const named = "select value from alert_store_meta where name = 'id'";
    const [known] = await tx.all<{ value: string }>(named);
    if (known !== undefined) return known.value;
    const id = randomUUID().slice(0, 8);
    await tx.all("insert into alert_store_meta (name, value) values ('id', ?)", [id]);
    return id;
  });
}

/** The tables of a client, which all of its stores are in: brought to what this version needs once, by whoever opens first. */
export class StoreTables {
  private opening: Promise<string> | null = null;

  constructor(
    private readonly client: StoreClient,
    private readonly now: () => number,
  ) {}

  /** Answers with the id of what is stored. Throws `AlertStoreError`, and what the client throws: then it can be tried again. */
  open(): Promise<string> {
    this.opening ??= migrate(this.client, this.now()).catch((error: unknown) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }
}

export class AlertStoreError extends Error {
  readonly code = 'ALERT_STORE';
}
