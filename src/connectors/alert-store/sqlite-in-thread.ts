import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FromSqlite, SqliteThreadData, ToSqlite } from './sqlite-thread.js';
import type { StoreValue } from './store-client.js';

/** A connection in a thread of its own: a statement that takes long holds up nobody but those behind it. */
export class SqliteInThread {
  private readonly asked = new Map<number, PromiseWithResolvers<readonly object[]>>();
  private readonly exited = Promise.withResolvers<void>();
  private questions = 0;
  private over: Error | null = null;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (message: FromSqlite) => this.take(message));
    worker.on('error', (error) => this.end(error));
    worker.on('exit', () => {
      this.end(new Error('the thread of the database has ended'));
      this.exited.resolve();
    });
  }

  /** Rejects where the file cannot be made or opened. */
  static async open(path: string): Promise<SqliteInThread> {
    // The same kind of file as this one: built, or a source.
    const entry = new URL(`./sqlite-thread${extname(import.meta.url)}`, import.meta.url);
    const workerData: SqliteThreadData = { sqlitePath: path };
    const thread = new SqliteInThread(new Worker(entry, { name: 'alerts.sqlite', workerData }));
    await thread.answerTo(-1);
    return thread;
  }

  /** Nothing more comes of it. */
  get isOver(): boolean {
    return this.over !== null;
  }

  async run(sql: string, values: readonly StoreValue[]): Promise<readonly object[]> {
    if (this.over !== null) throw this.over;
    const id = this.questions++;
    const answer = this.answerTo(id);
    this.worker.postMessage({ id, sql, values } satisfies ToSqlite);
    return answer;
  }

  async close(): Promise<void> {
    // Whoever waits for its end must not end before it.
    this.worker.ref();
    if (this.over === null) this.worker.postMessage(null satisfies ToSqlite);
    await this.exited.promise;
  }

  private answerTo(id: number): Promise<readonly object[]> {
    const answer = Promise.withResolvers<readonly object[]>();
    this.asked.set(id, answer);
    // While it has nothing to do it keeps no process alive.
    this.worker.ref();
    return answer.promise;
  }

  private take(message: FromSqlite): void {
    const answer = this.asked.get(message.id);
    this.asked.delete(message.id);
    if (this.asked.size === 0) this.worker.unref();
    if ('rows' in message) answer?.resolve(message.rows);
    else answer?.reject(new Error(message.error));
  }

  private end(error: Error): void {
    this.over ??= error;
    for (const answer of this.asked.values()) answer.reject(this.over);
    this.asked.clear();
  }
}
