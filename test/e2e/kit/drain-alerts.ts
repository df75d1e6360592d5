import type { Alert } from '../../../src/runtime/ports/alert.js';
import type { Log } from '../../../src/runtime/ports/log.js';
import { AlertTopicCodec } from '../../../src/service/compose/alert-topic-codec.js';
import { until } from '../../harness/until.js';
import { PATTERN } from './drains.js';
import { TopicReader, type TopicRecord } from './topic-reader.js';

export interface WrittenAlert {
  readonly alert: Alert;
  readonly record: TopicRecord;
}

/** The alerts of the drains on the alerts topic. */
export class DrainAlerts {
  /** In order of reading, repeats among them. */
  readonly written: WrittenAlert[] = [];
  private readonly byAccount = new Map<string, Alert>();
  private readonly codec = new AlertTopicCodec(null, 'alerts');
  private readonly topic: TopicReader;
  private decoded = 0;

  constructor(log: Log, topic: string) {
    this.topic = new TopicReader(log, topic);
  }

  /** Waits until every one of the accounts has its alert. */
  async of(accounts: readonly string[]): Promise<readonly Alert[]> {
    let missing = accounts;
    await until(
      async () => {
        await this.read();
        missing = accounts.filter((name) => !this.byAccount.has(name));
        return missing.length === 0;
      },
      () => `alerts of ${missing.length} of ${accounts.length} accounts, such as ${missing[0]}`,
    );
    return accounts.map((name) => this.byAccount.get(name)!);
  }

  /** A repeat must be the first one again: another id for the same drain is a fault. */
  private async read(): Promise<void> {
    const records = await this.topic.read();
    for (const record of records.slice(this.decoded)) {
      const alert = this.codec.decode(record.value!);
      this.decoded++;
      if (alert.patternId !== PATTERN) continue;
      this.written.push({ alert, record });
      const before = this.byAccount.get(alert.key);
      if (before !== undefined) expect(alert).toEqual(before);
      this.byAccount.set(alert.key, alert);
    }
  }
}
