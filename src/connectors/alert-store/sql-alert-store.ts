import type { Alert } from '../../runtime/ports/alert.js';
import {
  type AlertFilter,
  type AlertGroup,
  type AlertKind,
  type AlertOverlap,
  type AlertPlace,
  type AlertSet,
  type AlertState,
  type AlertStore,
  type AlertTotals,
  type Feedback,
  type Snooze,
  type StoredAlert,
  wordsOf,
} from '../../runtime/ports/alert-store.js';
import { conditionOf, plain, stateOf } from './alert-conditions.js';
import type { StoreTables } from './migrations.js';
import type { StoreClient, StoreValue } from './store-client.js';

/** Rows that are written with one statement. */
const ROWS_AT_ONCE = 50;
/** Rows that are deleted with one statement: others get their turn between. */
const PRUNED_AT_ONCE = 5000;
/** Groups are made of so many alerts at most: the newest that fit. */
const GROUPED_MAX = 10_000;

const COLUMNS = 'kind, id, added_at, detected_at, key, key_field, pattern, severity, score, words, alert';

interface StoredRow {
  readonly alert: string;
  readonly state: AlertState;
}

const storedOf = ({ alert, state }: StoredRow): StoredAlert => ({ alert: JSON.parse(alert) as Alert, state });

/** The alert store in SQL that SQLite and PostgreSQL both speak. */
export class SqlAlertStore implements AlertStore {
  private known: string | null = null;

  constructor(
    private readonly client: StoreClient,
    private readonly tables: StoreTables,
  ) {}

  get id(): string {
    if (this.known === null) throw new Error('the alert store is not open');
    return this.known;
  }

  async open(): Promise<void> {
    this.known = await this.tables.open();
  }

  async add(alerts: readonly Alert[], kind: AlertKind, now: number): Promise<void> {
    const rows = alerts.map((alert) => rowOf(alert, kind, now));
    await this.client.transaction(async (tx) => {
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        const some = rows.slice(from, from + ROWS_AT_ONCE);
        const places = some.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ');
        const sql = `insert into alert_store_alerts (${COLUMNS}) values ${places} on conflict (kind, id) do nothing`;
        await tx.all(sql, some.flat());
      }
    });
  }

  async get(id: string, now: number): Promise<StoredAlert | null> {
    const state = stateOf(now);
    const sql = `select a.alert, ${state.sql} as state from alert_store_alerts a where a.kind = 'live' and a.id = ?`;
    const [row] = await this.client.all<StoredRow>(sql, [...state.values, plain(id)]);
    return row === undefined ? null : storedOf(row);
  }

  async list(
    filter: AlertFilter,
    limit: number,
    after: AlertPlace | null,
    now: number,
  ): Promise<readonly StoredAlert[]> {
    const [state, where] = [stateOf(now), conditionOf(filter, after, now)];
    const sql = `select a.alert, ${state.sql} as state from alert_store_alerts a where ${where.sql}
      order by a.detected_at desc, a.id desc limit ?`;
    const rows = await this.client.all<StoredRow>(sql, [...state.values, ...where.values, limit]);
    return rows.map(storedOf);
  }

  async groups(
    filter: AlertFilter,
    limit: number,
    after: AlertPlace | null,
    now: number,
  ): Promise<readonly AlertGroup[]> {
    const [state, where] = [stateOf(now), conditionOf(filter, null, now)];
    const sql = `with found as (
        select a.id, a.key, a.key_field, a.pattern, a.score, a.detected_at, ${state.sql} as state
        from alert_store_alerts a where ${where.sql} order by a.detected_at desc, a.id desc limit ${GROUPED_MAX}),
      grouped as (
        select f.*, row_number() over (partition by key, key_field, pattern order by detected_at desc, id desc) as place,
          count(*) over of_group as alerts, sum(case when state = 'open' then 1 else 0 end) over of_group as open_alerts,
          max(score) over of_group as score_max, min(detected_at) over of_group as first_at
        from found f window of_group as (partition by key, key_field, pattern))
      select a.alert, g.state, g.alerts, g.open_alerts, g.score_max, g.first_at
      from grouped g join alert_store_alerts a on a.kind = 'live' and a.id = g.id
      where g.place = 1 ${after === null ? '' : 'and (g.detected_at, g.id) < (?, ?)'}
      order by g.detected_at desc, g.id desc limit ?`;
    const place = after === null ? [] : [after.at, after.id];
    const rows = await this.client.all<GroupRow>(sql, [...state.values, ...where.values, ...place, limit]);
    return rows.map(groupOf);
  }

  async totals({ pattern, kind }: AlertSet, from: number, to: number): Promise<AlertTotals> {
    const verdicts = (['true', 'false', 'unsure'] as const).map(
      (verdict) => `count(case when verdict = '${verdict}' then 1 end) as of_${verdict}`,
    );
    const sql = `select count(*) as alerts, count(distinct key) as keys, ${verdicts.join(', ')},
      min(detected_at) as first_at, max(detected_at) as last_at from alert_store_alerts
      where kind = ? and pattern = ? and detected_at >= ? and detected_at < ?`;
    const [row] = await this.client.all<TotalsRow>(sql, [kind, plain(pattern), from, to]);
    const { alerts, keys, of_true, of_false, of_unsure, first_at, last_at } = row!;
    return {
      ...{ alerts: Number(alerts), keys: Number(keys) },
      ...{ confirmed: Number(of_true), dismissed: Number(of_false), unsure: Number(of_unsure) },
      ...{ firstAt: timeOf(first_at), lastAt: timeOf(last_at) },
    };
  }

  async overlap(first: AlertSet, second: AlertSet, from: number, to: number): Promise<AlertOverlap> {
    const keys =
      'select distinct key from alert_store_alerts where kind = ? and pattern = ? and detected_at >= ? and detected_at < ?';
    const sql = `with one as (${keys}), other as (${keys})
      select (select count(*) from one) as ones, (select count(*) from other) as others,
        (select count(*) from one join other on one.key = other.key) as shared`;
    const valuesOf = ({ kind, pattern }: AlertSet): readonly StoreValue[] => [kind, plain(pattern), from, to];
    const [row] = await this.client.all<{ ones: number; others: number; shared: number }>(sql, [
      ...valuesOf(first),
      ...valuesOf(second),
    ]);
    const [ones, others, shared] = [Number(row!.ones), Number(row!.others), Number(row!.shared)];
    return { both: shared, onlyFirst: ones - shared, onlySecond: others - shared };
  }

  addFeedback({ id, alertId, verdict, note, author, at }: Feedback): Promise<boolean> {
    return this.client.transaction(async (tx) => {
      const changed = await tx.all(
        "update alert_store_alerts set verdict = ? where kind = 'live' and id = ? returning id",
        [verdict, plain(alertId)],
      );
      if (changed.length === 0) return false;
      const sql =
        'insert into alert_store_feedback (id, alert_id, verdict, note, author, at) values (?, ?, ?, ?, ?, ?)';
      await tx.all(sql, [id, plain(alertId), verdict, plain(note), plain(author), at]);
      return true;
    });
  }

  async feedbackOf(alertId: string): Promise<readonly Feedback[]> {
    const sql = `select id, alert_id as "alertId", verdict, note, author, at from alert_store_feedback
      where alert_id = ? order by at desc, id desc`;
    const rows = await this.client.all<Feedback>(sql, [plain(alertId)]);
    return rows.map((row) => ({ ...row, at: Number(row.at) }));
  }

  async addSnooze({ id, key, pattern, until, reason, author, at }: Snooze): Promise<void> {
    const sql =
      'insert into alert_store_snoozes (id, key, pattern, ends_at, reason, author, at) values (?, ?, ?, ?, ?, ?, ?)';
    const of = pattern === null ? null : plain(pattern);
    await this.client.all(sql, [id, plain(key), of, until, plain(reason), plain(author), at]);
  }

  async snoozes(limit: number, after: AlertPlace | null, now: number): Promise<readonly Snooze[]> {
    const behind = after === null ? '' : 'and (ends_at, id) > (?, ?)';
    const place = after === null ? [] : [after.at, after.id];
    const sql = `select ${SNOOZE} from alert_store_snoozes where ends_at > ? ${behind} order by ends_at, id limit ?`;
    return (await this.client.all<Snooze>(sql, [now, ...place, limit])).map(snoozeOf);
  }

  async removeSnooze(id: string): Promise<Snooze | null> {
    const sql = `delete from alert_store_snoozes where id = ? returning ${SNOOZE}`;
    const [row] = await this.client.all<Snooze>(sql, [plain(id)]);
    return row === undefined ? null : snoozeOf(row);
  }

  async prune(before: number, alertsMax: number): Promise<number> {
    const old = `select kind, id from alert_store_alerts where added_at < ? limit ${PRUNED_AT_ONCE}`;
    const surplus = `select kind, id from alert_store_alerts order by added_at desc, id desc limit ${PRUNED_AT_ONCE} offset ?`;
    const gone = (await this.deleteAll(old, before)) + (await this.deleteAll(surplus, alertsMax));
    if (gone > 0)
      await this.client.all(
        'delete from alert_store_feedback where not exists (select 1 from alert_store_alerts a where a.id = alert_id)',
      );
    await this.client.all('delete from alert_store_snoozes where ends_at < ?', [before]);
    return gone;
  }

  async count(): Promise<number> {
    const [row] = await this.client.all<{ n: number }>(
      "select count(*) as n from alert_store_alerts where kind = 'live'",
    );
    return Number(row!.n);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async deleteAll(which: string, value: number): Promise<number> {
    let gone = 0;
    for (;;) {
      const sql = `delete from alert_store_alerts where (kind, id) in (${which}) returning id`;
      const { length } = await this.client.all(sql, [value]);
      gone += length;
      if (length < PRUNED_AT_ONCE) return gone;
    }
  }
}

const SNOOZE = 'id, key, pattern, ends_at as "until", reason, author, at';

const snoozeOf = (row: Snooze): Snooze => ({ ...row, until: Number(row.until), at: Number(row.at) });

const timeOf = (value: number | null): number | null => (value === null ? null : Number(value));

interface TotalsRow {
  readonly alerts: number;
  readonly keys: number;
  readonly of_true: number;
  readonly of_false: number;
  readonly of_unsure: number;
  readonly first_at: number | null;
  readonly last_at: number | null;
}

interface GroupRow extends StoredRow {
  readonly alerts: number;
  readonly open_alerts: number;
  readonly score_max: number;
  readonly first_at: number;
}

function groupOf({ alerts, open_alerts, score_max, first_at, ...row }: GroupRow): AlertGroup {
  const last = storedOf(row);
  const { key, keyField, patternId, detectedAt } = last.alert;
  return {
    ...{ key, keyField, patternId, count: Number(alerts), open: Number(open_alerts), scoreMax: Number(score_max) },
    ...{ firstAt: Number(first_at), lastAt: detectedAt, last },
  };
}

function rowOf(alert: Alert, kind: AlertKind, now: number): readonly StoreValue[] {
  const { id, detectedAt, key, keyField, patternId, severity, score } = alert;
  return [
    ...[kind, plain(id), now, detectedAt, plain(key), plain(keyField), plain(patternId), severity, score],
    ...[plain(wordsOf(alert)), JSON.stringify(alert)],
  ];
}
