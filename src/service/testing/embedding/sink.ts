import { appendFile } from 'node:fs/promises';
import type { AlertSink } from '../../../runtime/sinks/alert-sink.js';

/** Alerts as lines of a file, each once while the process lives. */
export function fileSink(path: string): AlertSink {
  const written = new Set<string>();
  return {
    name: 'file',
    async write(alerts) {
      const fresh = alerts.filter(({ id }) => !written.has(id));
      await appendFile(path, fresh.map((alert) => `${JSON.stringify(alert)}\n`).join(''));
      for (const { id } of fresh) written.add(id);
    },
    close: async () => undefined,
  };
}
