import { join } from 'node:path';
import type { AlertStore } from '../../runtime/ports/alert-store.js';
import type { AuditLog } from '../../runtime/ports/audit-log.js';
import type { ReplyStore } from '../../runtime/ports/reply-store.js';
import { StoreTables } from './migrations.js';
import { SqlAlertStore } from './sql-alert-store.js';
import { SqlAuditLog } from './sql-audit-log.js';
import { SqlReplyStore } from './sql-reply-store.js';
import { SqliteClient } from './sqlite-client.js';
import type { StoreClient } from './store-client.js';

/** What the service keeps beside the log: alerts to be asked for, who changed what, and what was answered. */
export interface Stores {
  readonly alerts: AlertStore;
  readonly audit: AuditLog;
  readonly replies: ReplyStore;
}

/** All on one client, which `alerts.close` closes. */
export function storesOn(client: StoreClient, now: () => number): Stores {
  const tables = new StoreTables(client, now);
  return {
    alerts: new SqlAlertStore(client, tables),
    audit: new SqlAuditLog(client, tables),
    replies: new SqlReplyStore(client, tables),
  };
}

/** Gone with the process. */
export const storesInMemory = (now: () => number): Stores => storesOn(SqliteClient.inMemory(), now);

/** `url`: of PostgreSQL; absent: a file in `folder`. Throws where the file cannot be made; nothing is connected to a server yet. */
export async function openStores(url: string | undefined, folder: string, now: () => number): Promise<Stores> {
  if (url === undefined) return storesOn(await SqliteClient.ofFile(join(folder, 'alerts.sqlite')), now);
  const { PostgresDatabase } = await import('../sql/postgres-database.js');
  const { PostgresClient } = await import('./postgres-client.js');
  return storesOn(new PostgresClient(new PostgresDatabase({ url, applicationName: 'stakeout-alerts' })), now);
}
