import type { AlertPlace } from '../../runtime/ports/alert-store.js';
import type { AuditEntry, AuditFilter, AuditLog } from '../../runtime/ports/audit-log.js';
import { plain } from './alert-conditions.js';
import type { StoreTables } from './migrations.js';
import type { StoreClient, StoreValue } from './store-client.js';

const COLUMNS = 'id, at, author, role, known_by, action, status, detail, address';

export class SqlAuditLog implements AuditLog {
  constructor(
    private readonly client: StoreClient,
    private readonly tables: StoreTables,
  ) {}

  async open(): Promise<void> {
    await this.tables.open();
  }

  async append(entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const rows = entries.map(({ id, at, author, role, by, action, status, detail, address }): StoreValue[] => [
      ...[id, at, plain(author), role, by, plain(action), status, plain(detail), address],
    ]);
    const places = rows.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ');
    const sql = `insert into alert_store_audit (${COLUMNS}) values ${places} on conflict (id) do nothing`;
    await this.client.all(sql, rows.flat());
  }

  async list(
    { author, from, to }: AuditFilter,
    limit: number,
    after: AlertPlace | null,
  ): Promise<readonly AuditEntry[]> {
    const parts: string[] = ['1 = 1'];
    const values: StoreValue[] = [];
    const add = (sql: string, ...more: StoreValue[]): void => {
      parts.push(sql);
      values.push(...more);
    };
    if (author !== undefined) add('author = ?', plain(author));
    if (from !== undefined) add('at >= ?', from);
    if (to !== undefined) add('at < ?', to);
    if (after !== null) add('(at, id) < (?, ?)', after.at, after.id);
    const sql = `select id, at, author, role, known_by as "by", action, status, detail, address from alert_store_audit
      where ${parts.join(' and ')} order by at desc, id desc limit ?`;
    const rows = await this.client.all<AuditEntry>(sql, [...values, limit]);
    return rows.map((row) => ({ ...row, at: Number(row.at), status: Number(row.status) }));
  }

  async prune(before: number): Promise<void> {
    await this.client.all('delete from alert_store_audit where at < ?', [before]);
  }
}
