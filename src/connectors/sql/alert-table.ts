import type { Alert } from '../../runtime/ports/alert.js';
import type { SqlDatabase, SqlDialect } from './sql-database.js';
import { SqlError } from './sql-error.js';

interface Column {
  readonly name: string;
  readonly type: Readonly<Record<SqlDialect, string>>;
  /** Absent: the database fills it in. */
  readonly of?: (alert: Alert) => unknown;
}

const text = (mysql: string) => ({ postgres: 'text', mysql });
const time = { postgres: 'timestamptz(3)', mysql: 'datetime(3)' };
const json = { postgres: 'jsonb', mysql: 'json' };

/**
 * A row for each alert. Later versions add columns at the end, that may be null: rows of earlier ones stay as they are. Columns that
 * someone else has added are left alone.
 */
const columns: readonly Column[] = [
  { name: 'id', type: text('varchar(64)'), of: ({ id }) => id },
  { name: 'pattern_id', type: text('varchar(255)'), of: ({ patternId }) => patternId },
  { name: 'title', type: text('text'), of: ({ title }) => title },
  { name: 'revision', type: text('varchar(64)'), of: ({ revision }) => revision },
  { name: 'severity', type: text('varchar(16)'), of: ({ severity }) => severity },
  { name: 'score', type: { postgres: 'double precision', mysql: 'double' }, of: ({ score }) => score },
  { name: 'key_value', type: text('varchar(512)'), of: ({ key }) => key },
  { name: 'key_field', type: text('varchar(255)'), of: ({ keyField }) => keyField },
  { name: 'first_event_time', type: time, of: ({ firstEventTime }) => new Date(firstEventTime) },
  { name: 'last_event_time', type: time, of: ({ lastEventTime }) => new Date(lastEventTime) },
  { name: 'detected_at', type: time, of: ({ detectedAt }) => new Date(detectedAt) },
  { name: 'message', type: text('text'), of: ({ message }) => message },
  { name: 'features', type: json, of: ({ features }) => (features === undefined ? null : JSON.stringify(features)) },
  { name: 'steps', type: json, of: ({ steps }) => JSON.stringify(steps) },
  {
    name: 'written_at',
    type: {
      postgres: 'timestamptz(3) default current_timestamp',
      mysql: 'datetime(3) default current_timestamp(3)',
    },
  },
];

const written = columns.filter(({ of }) => of !== undefined);

/** The table of alerts: its making, and its statement. */
export class AlertTable {
  private readonly name: string;

  constructor(
    private readonly database: SqlDatabase,
    private readonly table: string,
  ) {
    this.name = database.name(table);
  }

  /** Makes it, or adds the columns that it lacks. Throws `SqlError`. */
  async make(): Promise<void> {
    const { dialect } = this.database;
    const definitions = columns.map(({ name, type }) => `${name} ${type[dialect]}`).join(', ');
    const short = this.table.split('.').at(-1)!;
    const [byTime, byKey] = [`${short}_detected_at`, `${short}_key`].map((index) => this.database.name(index));
    const times = '(detected_at)';
    const keys = '(key_value, detected_at)';
    if (dialect === 'mysql') {
      const indexes = `PRIMARY KEY (id), INDEX ${byTime} ${times}, INDEX ${byKey} ${keys}`;
      await this.database.query(
        `CREATE TABLE IF NOT EXISTS ${this.name} (${definitions}, ${indexes}) CHARACTER SET utf8mb4`,
      );
    } else {
      await this.database.query(`CREATE TABLE IF NOT EXISTS ${this.name} (${definitions}, PRIMARY KEY (id))`);
      await this.database.query(`CREATE INDEX IF NOT EXISTS ${byTime} ON ${this.name} ${times}`);
      await this.database.query(`CREATE INDEX IF NOT EXISTS ${byKey} ON ${this.name} ${keys}`);
    }
    for (const { name, type } of await this.lacking())
      await this.database.query(`ALTER TABLE ${this.name} ADD COLUMN ${name} ${type[dialect]}`);
  }

  /** Throws `SqlError` for a table that is not there, or lacks columns. */
  async check(): Promise<void> {
    const lacking = (await this.lacking()).filter(({ of }) => of !== undefined);
    if (lacking.length === 0) return;
    const what =
      lacking.length === written.length ? 'is not there' : `lacks ${lacking.map(({ name }) => name).join(', ')}`;
    const { product, address } = this.database.at;
    throw new SqlError(
      'SQL_REFUSED',
      `${product} at ${address}: table ${this.table} ${what}; make it as docs/sinks.md has it, or set create: true`,
    );
  }

  /** One statement that writes all of these, over what is there of the same ids. Of alerts with one id the last is taken. */
  statement(alerts: readonly Alert[]): { readonly text: string; readonly values: readonly unknown[] } {
    const unique = [...new Map(alerts.map((alert) => [alert.id, alert])).values()];
    const names = written.map(({ name }) => name);
    const rows = unique.map((_, row) => {
      const places = names.map((_name, column) => this.database.placeholder(row * names.length + column + 1));
      return `(${places.join(', ')})`;
    });
    const set = names.slice(1).map((name) => `${name} = ${this.isMySql ? `VALUES(${name})` : `EXCLUDED.${name}`}`);
    const over = this.isMySql ? 'ON DUPLICATE KEY UPDATE' : 'ON CONFLICT (id) DO UPDATE SET';
    return {
      text: `INSERT INTO ${this.name} (${names.join(', ')}) VALUES ${rows.join(', ')} ${over} ${set.join(', ')}`,
      values: unique.flatMap((alert) => written.map(({ of }) => of?.(alert))),
    };
  }

  private get isMySql(): boolean {
    return this.database.dialect === 'mysql';
  }

  private async lacking(): Promise<readonly Column[]> {
    const parts = this.table.split('.');
    const [one, two] = [this.database.placeholder(1), this.database.placeholder(2)];
    const here = this.isMySql ? 'DATABASE()' : 'current_schema()';
    const { rows } = await this.database.query(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = COALESCE(${one}, ${here}) AND table_name = ${two}`,
      [parts.length > 1 ? parts[0] : null, parts.at(-1)],
    );
    const there = new Set(rows.map(({ name }) => String(name).toLowerCase()));
    return columns.filter(({ name }) => !there.has(name));
  }
}
