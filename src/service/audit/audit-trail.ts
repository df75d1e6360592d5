import { randomUUID } from 'node:crypto';
import type { AuditEntry, AuditLog } from '../../runtime/ports/audit-log.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Logger } from '../logging/logger.js';

/** Beyond it the oldest are in the log lines alone. */
const WAITING_MAX = 10_000;
const RETRY_MS = 5_000;

/**
 * Keeps who changed what. Each entry is a log line at once, so that nothing is lost with the store; it waits in memory while the
 * store is away. A change is never refused because it could not be written down: in an outage someone must be able to act.
 */
export class AuditTrail {
  private readonly waiting: AuditEntry[] = [];
  private writing: Promise<void> = Promise.resolve();
  private cancel = (): void => undefined;

  constructor(
    private readonly log: AuditLog,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  record(entry: Omit<AuditEntry, 'id' | 'at'>): void {
    const kept = { ...entry, id: randomUUID(), at: this.clock.now() };
    this.logger.info({ audit: kept }, 'audit');
    this.waiting.push(kept);
    if (this.waiting.length > WAITING_MAX) this.waiting.shift();
    void this.flush();
  }

  /** Writes what waits; never rejects. */
  flush(): Promise<void> {
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  async close(): Promise<void> {
    this.cancel();
    await this.flush();
    this.cancel();
  }

  private async write(): Promise<void> {
    const entries = this.waiting.slice(0, 100);
    if (entries.length === 0) return;
    try {
      await this.log.open();
      await this.log.append(entries);
      this.waiting.splice(0, entries.length);
      if (this.waiting.length > 0) await this.write();
    } catch (err) {
      this.logger.warn({ err, waiting: this.waiting.length }, 'the audit trail cannot be written; tried again');
      this.cancel();
      this.cancel = this.clock.schedule(RETRY_MS, () => void this.flush());
    }
  }
}
