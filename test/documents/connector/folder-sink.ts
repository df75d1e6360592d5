import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Alert } from '../../../src/runtime/ports/alert.js';
import { type AlertSink, PartlyWritten } from '../../../src/runtime/sinks/alert-sink.js';

const BYTES_MAX = 1_000_000;

/** Each alert as a file of its own, `<id>.json`: written again, it is the same file. */
export class FolderSink implements AlertSink {
  readonly name = 'folder';

  constructor(private readonly folder: string) {}

  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
  }

  async write(alerts: readonly Alert[]): Promise<void> {
    const isTooLarge = (alert: Alert): boolean => JSON.stringify(alert).length > BYTES_MAX;
    for (const alert of alerts.filter((each) => !isTooLarge(each))) {
      const file = join(this.folder, alert.id);
      // A reader sees whole files alone.
      await writeFile(`${file}.tmp`, JSON.stringify(alert));
      await rename(`${file}.tmp`, `${file}.json`);
    }
    const refused = alerts.filter(isTooLarge).map((alert) => ({ alert, detail: `larger than ${BYTES_MAX} bytes` }));
    if (refused.length > 0) throw new PartlyWritten('some alerts are too large', refused, []);
  }

  async close(): Promise<void> {}
}
