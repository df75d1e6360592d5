/**
 * Committed alerts as rows of a table, in PostgreSQL or MySQL.
 *
 * Q1. An alert is one row, by its id: writing it again writes the same row again.
 * Q2. `write` resolves only when the database has committed every alert; each statement is a transaction of its own.
 * Q3. A statement that fails for a value is taken apart until it is known which alert has it; the others are written.
 */
import type { Alert } from '../../runtime/ports/alert.js';
import { type AlertSink, PartlyWritten, type RefusedAlert } from '../../runtime/sinks/alert-sink.js';
import { AlertTable } from './alert-table.js';
import type { SqlDatabase } from './sql-database.js';
import { SqlError } from './sql-error.js';

export interface SqlSinkOptions {
  readonly name: string;
  /** Closed with the sink. */
  readonly database: SqlDatabase;
  /** With its schema before a dot where it is not the default one. */
  readonly table: string;
  /** Make the table, and add columns that it lacks. */
  readonly create: boolean;
  /** Alerts in one statement, at most. */
  readonly batch: number;
}

export class SqlSink implements AlertSink {
  readonly name: string;
  private readonly table: AlertTable;
  private isReady = false;

  constructor(private readonly options: SqlSinkOptions) {
    this.name = options.name;
    this.table = new AlertTable(options.database, options.table);
  }

  async prepare(): Promise<void> {
    if (this.options.create) await this.table.make();
    else await this.table.check();
    this.isReady = true;
  }

  /** Throws `SqlError`, or `PartlyWritten`. */
  async write(alerts: readonly Alert[]): Promise<void> {
    if (!this.isReady) await this.prepare();
    const refused: RefusedAlert[] = [];
    // What is next comes last.
    const parts = this.partsOf(alerts).reverse();
    try {
      for (let part = parts.at(-1); part !== undefined; part = parts.at(-1)) {
        const isValue = await this.insert(part);
        parts.pop();
        if (isValue === null) continue;
        if (part.length === 1) refused.push({ alert: part[0]!, detail: isValue.message });
        else parts.push(part.slice(part.length >> 1), part.slice(0, part.length >> 1));
      }
    } catch (cause) {
      // Someone may have taken the table away: it is looked at again.
      if (cause instanceof SqlError && cause.code === 'SQL_REFUSED') this.isReady = false;
      throw new PartlyWritten((cause as Error).message, refused, parts.reverse().flat(), { cause });
    }
    if (refused.length > 0) throw new PartlyWritten('some alerts were refused', refused, []);
  }

  close(): Promise<void> {
    return this.options.database.close();
  }

  private partsOf(alerts: readonly Alert[]): (readonly Alert[])[] {
    const parts: (readonly Alert[])[] = [];
    for (let from = 0; from < alerts.length; from += this.options.batch)
      parts.push(alerts.slice(from, from + this.options.batch));
    return parts;
  }

  /** What the database says of a value in them; `null`: they are written. */
  private async insert(alerts: readonly Alert[]): Promise<SqlError | null> {
    const { text, values } = this.table.statement(alerts);
    try {
      await this.options.database.query(text, values);
      return null;
    } catch (error) {
      if (error instanceof SqlError && error.code === 'SQL_VALUE') return error;
      throw error;
    }
  }
}
