import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedLog, type EmbeddedLogOptions } from '../../src/connectors/embedded/embedded-log.js';

const P = { topic: 't', partition: 0 };

/** An embedded log with one topic of one partition, whose files a test may look at and damage. */
export class LogUnderTest {
  readonly troubles: string[] = [];
  private constructor(readonly directory: string) {}

  static async make(): Promise<LogUnderTest> {
    return new LogUnderTest(await mkdtemp(join(tmpdir(), 'stakeout-log-')));
  }

  open(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
    return EmbeddedLog.open({
      directory: this.directory,
      onTrouble: (e) => this.troubles.push(e.message),
      ...options,
    });
  }

  /** Segment files of the partition, whole paths, in order. */
  async segments(): Promise<string[]> {
    const directory = join(this.directory, 'topics', P.topic, String(P.partition));
    return (await readdir(directory))
      .filter((name) => name.endsWith('.log'))
      .sort()
      .map((name) => join(directory, name));
  }

  /** Changes the bytes of a file in place. */
  async damage(path: string, change: (bytes: Buffer) => Buffer): Promise<void> {
    await writeFile(path, change(await readFile(path)));
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Each value in a send of its own, one after the other. */
export async function append(log: EmbeddedLog, values: readonly string[], key: string | null = null): Promise<void> {
  const producer = await log.producer();
  for (const value of values) {
    await producer.send([{ ...P, key: key === null ? null : Buffer.from(key), value: Buffer.from(value) }]);
  }
}

export async function readValues(log: EmbeddedLog, from = 0): Promise<string[]> {
  const values: string[] = [];
  for await (const batch of log.read(P, from)) {
    values.push(...batch.records.map((r) => Buffer.from(r.value ?? []).toString()));
  }
  return values;
}
