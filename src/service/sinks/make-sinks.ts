import { readFileSync } from 'node:fs';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Settings, SinkSettings } from '../../runtime/settings/index.js';
import type { AlertSink, CollectingSink } from '../../runtime/sinks/alert-sink.js';

type AnySink = AlertSink | CollectingSink;

/** The sinks that `sinks` names. Nothing is connected yet. Throws where a file with a certificate cannot be read. */
export async function makeSinks(settings: Settings, clock: Clock): Promise<readonly AnySink[]> {
  const entries = Object.entries(settings.sinks);
  return Promise.all(entries.map(([name, sink]) => makeSink(name, sink, clock)));
}

/** Each connector is loaded only where it is used. */
async function makeSink(name: string, sink: SinkSettings, clock: Clock): Promise<AnySink> {
  switch (sink.type!) {
    case 'redis': {
      const { RedisSink } = await import('../../connectors/redis/redis-sink.js');
      return new RedisSink({ name, url: sink.url!, clock, prefix: name, timeoutMs: sink.timeout });
    }
    case 'postgres':
    case 'mysql':
      return sqlSink(name, sink);
    default:
      throw new Error(`sinks of type ${sink.type} are not there yet`);
  }
}

async function sqlSink(name: string, sink: SinkSettings): Promise<AlertSink> {
  const { openDatabase } = await import('../../connectors/sql/open-database.js');
  const { SqlSink } = await import('../../connectors/sql/sql-sink.js');
  const tls = sink.tls.enabled ? { tls: tlsOf(sink) } : {};
  const database = await openDatabase({ url: sink.url!, timeoutMs: sink.timeout, ...tls });
  return new SqlSink({ name, database, table: sink.table, create: sink.create, batch: sink.batch });
}

function tlsOf({ tls }: SinkSettings) {
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, 'utf8'));
  return { ca: read(tls.ca), certificate: read(tls.certificate), key: read(tls.key), verify: tls.verify };
}
