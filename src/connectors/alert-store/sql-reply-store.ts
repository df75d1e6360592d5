import type { ReplyState, ReplyStore, StoredReply } from '../../runtime/ports/reply-store.js';
import { plain } from './alert-conditions.js';
import type { StoreTables } from './migrations.js';
import type { StoreClient } from './store-client.js';

interface Row {
  readonly digest: string;
  readonly begun_at: number;
  readonly status: number | null;
  readonly body: string | null;
}

export class SqlReplyStore implements ReplyStore {
  constructor(
    private readonly client: StoreClient,
    private readonly tables: StoreTables,
  ) {}

  async open(): Promise<void> {
    await this.tables.open();
  }

  async begin(key: string, digest: string, now: number, staleBefore: number): Promise<ReplyState> {
    const name = plain(key);
    const insert = `insert into alert_store_replies (key, digest, begun_at) values (?, ?, ?)
      on conflict (key) do nothing returning key`;
    if ((await this.client.all(insert, [name, digest, now])).length > 0) return 'begun';
    const stale = `update alert_store_replies set begun_at = ?, digest = ? where key = ? and status is null and begun_at < ?
      returning key`;
    if ((await this.client.all(stale, [now, digest, name, staleBefore])).length > 0) return 'begun';
    const [row] = await this.client.all<Row>(
      'select digest, begun_at, status, body from alert_store_replies where key = ?',
      [name],
    );
    if (row === undefined) return 'busy';
    if (row.digest !== digest) return 'other';
    return row.status === null || row.body === null ? 'busy' : { status: Number(row.status), body: row.body };
  }

  async end(key: string, { status, body }: StoredReply): Promise<void> {
    await this.client.all('update alert_store_replies set status = ?, body = ? where key = ?', [
      ...[status, plain(body), plain(key)],
    ]);
  }

  async forget(key: string): Promise<void> {
    await this.client.all('delete from alert_store_replies where key = ? and status is null', [plain(key)]);
  }

  async prune(before: number): Promise<void> {
    await this.client.all('delete from alert_store_replies where begun_at < ?', [before]);
  }
}
