import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LogError } from '../../../runtime/local-log/log-error.js';
import type { PendingRecord } from '../../../runtime/local-log/storage.js';
import { TransactionAbortedError } from '../../../runtime/ports/log.js';
import type { Body } from '../batch/batch-format.js';
import type { FlushPlan } from '../batch/flush.js';
import { fileError } from '../disk/file-errors.js';
import { readAt, syncDirectory, writeAll } from '../disk/files.js';
import type { HeldPartition, PartitionLog } from '../partition/partition-log.js';
import type { PartitionSettings } from '../partition/partition-settings.js';
import { bodiesFrom, encodeTransaction, findTransactions, type TransactionPart } from './transaction-format.js';

/** The file is emptied when it has grown so large: that bounds its size, and what is read when the folder is opened. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** Transactions that wait are written as one up to about so many bytes. */
const GROUP_BYTES = 8 * 1024 * 1024;

interface Waiting {
  readonly parts: ReadonlyMap<PartitionLog, readonly Body[]>;
  readonly bytes: number;
  readonly onCommitted: () => void;
  resolve(): void;
  reject(error: unknown): void;
}

interface Part {
  readonly log: PartitionLog;
  readonly held: HeldPartition;
  readonly plan: FlushPlan;
}

/**
 * Transactions over several partitions of one folder, by a redo log.
 *
 * | step | a crash before its end | a crash after it |
 * |---|---|---|
 * | 1. The partitions are held: nobody else writes them until 5, so the offsets that the records get do not change | nothing happened | as before |
 * | 2. The batches, as they will stand in their partitions, go to the end of the file `transactions`, and to the disk if `fsync` is `always` | a torn record: dropped when the folder is opened | committed |
 * | 3. They are written at the ends of their partitions, and not forced to the disk | opening appends what is not there | there is nothing to append |
 * | 4. In one turn all ends move, and offsets: readers see all of it | | |
 * | 5. The partitions are let go | | |
 * | 6. When the file is large, and at the end: what 3 wrote is forced to the disk, then the file is emptied | opening finds all there, and empties it | |
 *
 * 1. A batch is there if its partition ends beyond its first offset: what was written at that offset can only be this batch.
 * 2. Whatever fails before 2 is over did not happen; what it may have written is taken back. Where that cannot be, the partitions
 *    concerned take no more records, and it is known when the folder is opened again.
 * 3. If the disk is full in 3, the partitions' bytes are taken back first, then the file's: so a crash between finds it committed.
 * 4. With `fsync: interval` a power failure may take the last transactions apart; the end of the process does not.
 */
export class TransactionLog {
  private readonly partitions = new Map<string, PartitionLog>();
  private readonly names = new Map<PartitionLog, string>();
  /** Partitions with bytes that only this file is sure to have on the disk. */
  private readonly unsynced = new Set<PartitionLog>();
  private readonly waiting: Waiting[] = [];
  private running: Promise<void> = Promise.resolve();
  private busy = false;
  private recovered = false;
  private closed = false;
  private failure: LogError | undefined;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly settings: Pick<PartitionSettings, 'fsync' | 'onTrouble'>,
    private bytes: number,
  ) {}

  static async open(path: string, settings: Pick<PartitionSettings, 'fsync' | 'onTrouble'>): Promise<TransactionLog> {
    let file: FileHandle | undefined;
    try {
      // `a` makes the file, but would write at its end only.
      await (await open(path, 'a')).close();
      await syncDirectory(dirname(path));
      file = await open(path, 'r+');
      return new TransactionLog(path, file, settings, (await file.stat()).size);
    } catch (error) {
      await file?.close();
      throw fileError(error, 'open', path);
    }
  }

  /** @param name stands in the file: the same one each time the folder is opened. */
  add(name: string, partition: PartitionLog): void {
    this.partitions.set(name, partition);
    this.names.set(partition, name);
  }

  /**
   * Applies what was committed and did not get into its partitions. All partitions must have been added; nobody writes yet.
   *
   * @throws LogError `LOG_CORRUPT` when a committed transaction is damaged.
   */
  async recover(): Promise<void> {
    const source = await readAt(this.file, 0, this.bytes);
    const { transactions, bytes, damaged } = findTransactions(source);
    if (damaged) throw damagedFile(this.path, bytes);
    if (bytes < source.length) {
      const cut = source.length - bytes;
      this.trouble(`cut ${cut} bytes off ${this.path}: a transaction that the end of the process had cut short`);
    }
    for (const part of transactions.flat()) {
      await this.applyAgain(part);
    }
    // What was found there may have been written by a process that was killed: nobody has forced it to the disk yet.
    await Promise.all([...this.unsynced].map((log) => log.sync(true)));
    if (source.length > 0) await this.empty();
    this.recovered = true;
  }

  /**
   * Appends all records, or none.
   *
   * @param onCommitted called in the turn in which readers begin to see them.
   * @throws TransactionAbortedError Nothing happened: no room on the disk. It may be tried again.
   * @throws LogError Nothing happened (a record that cannot be appended, the log is closed), or `LOG_IO`: it is known when the log
   *   is opened again.
   */
  async commit(records: ReadonlyMap<PartitionLog, readonly PendingRecord[]>, onCommitted: () => void): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.closed) throw new LogError('LOG_CLOSED', 'the log is closed');
    const parts = new Map([...records].map(([log, pending]) => [log, log.encode(pending)]));
    const bytes = [...parts.values()].flat().reduce((sum, body) => sum + body.bytes.length, 0);
    const committed = new Promise<void>((resolve, reject) => {
      this.waiting.push({ parts, bytes, onCommitted, resolve, reject });
    });
    if (!this.busy) {
      this.busy = true;
      this.running = this.run();
    }
    await committed;
  }

  /** Resolves when all transactions are over, and in their partitions for good. What could not be recovered stays in the file. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
    try {
      const sound = [...this.unsynced].every((log) => !log.hasFailed);
      if (sound && this.recovered && this.failure === undefined) await this.empty();
    } finally {
      await this.file.close();
    }
  }

  private async run(): Promise<void> {
    // Transactions of the same turn share the first write.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const group = this.take();
      try {
        await this.commitGroup(group);
        for (const one of group) one.resolve();
      } catch (error) {
        for (const one of group) one.reject(error);
      }
      if (this.bytes >= FILE_BYTES_MAX) await this.emptyOrFail();
    }
    // In the same turn as the last look: whoever comes from now on starts another run.
    this.busy = false;
  }

  private take(): Waiting[] {
    let count = 0;
    for (let bytes = 0; count < this.waiting.length && bytes < GROUP_BYTES; count++) {
      bytes += (this.waiting[count] as Waiting).bytes;
    }
    return this.waiting.splice(0, count);
  }

  private async commitGroup(group: readonly Waiting[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const bodies = new Map<PartitionLog, Body[]>();
    for (const [log, added] of group.flatMap((one) => [...one.parts])) {
      const all = bodies.get(log) ?? [];
      if (added.length > 0) bodies.set(log, all);
      all.push(...added);
    }
    const holds = await Promise.allSettled([...bodies.keys()].map((log) => log.hold()));
    try {
      const parts: Part[] = [];
      for (const [i, [log, all]] of [...bodies].entries()) {
        const held = settledValue(holds[i] as PromiseSettledResult<HeldPartition>);
        parts.push({ log, held, plan: await this.planned(held, all) });
      }
      if (parts.length > 0) await this.write(parts);
      for (const { log, held, plan } of parts) {
        this.unsynced.add(log);
        held.writer.publish(plan, false);
      }
      for (const one of group) one.onCommitted();
    } finally {
      for (const hold of holds) if (hold.status === 'fulfilled') hold.value.release();
    }
  }

  private async planned({ writer }: HeldPartition, bodies: readonly Body[]): Promise<FlushPlan> {
    try {
      return await writer.plan(bodies);
    } catch (error) {
      throw aborted(fileError(error, 'write', writer.active.file));
    }
  }

  /** Steps 2 and 3; what fails is taken back. */
  private async write(parts: readonly Part[]): Promise<void> {
    const always = this.settings.fsync === 'always';
    const batchesOf = ({ log, plan }: Part) => ({ partition: this.names.get(log) as string, batches: plan.bytes });
    const record = encodeTransaction(parts.map(batchesOf), always);
    const before = this.bytes;
    try {
      await writeAll(this.file, record, before);
      if (always) await this.file.datasync();
      this.bytes = before + record.length;
      const written = await Promise.allSettled(parts.map(({ held, plan }) => held.writer.write(plan, false)));
      written.forEach(settledValue);
    } catch (error) {
      const failure = fileError(error, 'write', this.path);
      await this.takeBack(parts, before, failure);
      throw aborted(failure);
    }
  }

  /** Takes away, durably, what a transaction has written (3.); throws where that cannot be done. */
  private async takeBack(parts: readonly Part[], before: number, failure: LogError): Promise<void> {
    let done = true;
    for (const { held } of parts) {
      done = (await held.writer.takeBack(failure)) && done;
    }
    try {
      if (!done) throw failure;
      await this.file.truncate(before);
      await this.file.datasync();
      this.bytes = before;
    } catch {
      // Not known is whether the file holds it, or a partition some of it: what else went there would be mistaken for it.
      for (const { held } of parts) held.writer.fail(failure);
      throw this.fail(failure);
    }
  }

  private fail(cause: LogError): LogError {
    this.failure ??= new LogError(
      'LOG_IO',
      `no more transactions can be made: ${cause.message} Start again: one whose end is not known happens then, or does not, as a whole.`,
      { cause },
    );
    return this.failure;
  }

  private async applyAgain({ partition, batches }: TransactionPart): Promise<void> {
    const log = this.partitions.get(partition);
    if (log === undefined) {
      this.trouble(`records of a transaction are dropped: their partition ${partition} is not there any more`);
      return;
    }
    this.unsynced.add(log);
    const rest = bodiesFrom(batches, log.end);
    if (rest === undefined) return;
    const { baseOffset } = rest.first;
    if (baseOffset > log.end) {
      this.trouble(
        `${partition} has lost its records from offset ${log.end} to ${baseOffset}; a transaction follows them`,
      );
    }
    const { writer, release } = await log.hold();
    try {
      const plan = await writer.plan(rest.bodies, rest.first);
      await writer.write(plan, false);
      writer.publish(plan, false);
    } catch (error) {
      throw fileError(error, 'write', writer.active.file);
    } finally {
      release();
    }
  }

  /** Step 6. */
  private async empty(): Promise<void> {
    await Promise.all([...this.unsynced].map((log) => log.sync()));
    this.unsynced.clear();
    try {
      await this.file.truncate(0);
      await this.file.sync();
    } catch (error) {
      throw fileError(error, 'empty', this.path);
    }
    this.bytes = 0;
  }

  private async emptyOrFail(): Promise<void> {
    try {
      await this.empty();
    } catch (error) {
      this.settings.onTrouble(this.fail(fileError(error, 'empty', this.path)));
    }
  }

  private trouble(message: string): void {
    this.settings.onTrouble(new LogError('LOG_IO', message));
  }
}

function settledValue<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

/** Nothing happened; where only room is wanting, it may be tried again. */
function aborted(failure: LogError): Error {
  return failure.code === 'LOG_DISK_FULL' ? new TransactionAbortedError(failure.message, { cause: failure }) : failure;
}

function damagedFile(path: string, position: number): LogError {
  return new LogError(
    'LOG_CORRUPT',
    `${path} is damaged at byte ${position}, and transactions after it were committed. Put an undamaged copy of the file there; or, to ` +
      'give up what of these transactions is not in their topics yet, move the file away and start again.',
  );
}
