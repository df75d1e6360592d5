import { ManualClock } from '../../runtime/testing/manual-clock.js';
import { someSettings } from '../testing/a-service.js';
import { makeSinks } from './make-sinks.js';

it('makes each sink that the settings name, and connects none', async () => {
  const settings = someSettings({
    sinks: {
      cache: { type: 'redis', url: 'redis://127.0.0.1:1' },
      warehouse: { type: 'postgres', url: 'postgres://u:p@127.0.0.1:1/d' },
      old: { type: 'mysql', url: 'mysql://u:p@127.0.0.1:1/d' },
      search: { type: 'elasticsearch', urls: ['http://127.0.0.1:1'], username: 'u', password: 'ü' },
      hook: { type: 'webhook', url: 'http://127.0.0.1:1/in' },
      other: { type: 'kafka', brokers: ['127.0.0.1:1'], topic: 't', format: 'avro' },
      lake: { type: 'parquet', directory: '/nowhere' },
      bucket: { type: 'parquet', s3: { bucket: 'b' } },
    },
  });
  const sinks = await makeSinks(settings, new ManualClock());
  expect(sinks.map((sink) => [sink.name, sink.constructor.name])).toEqual([
    ['cache', 'RedisSink'],
    ['warehouse', 'SqlSink'],
    ['old', 'SqlSink'],
    ['search', 'ElasticsearchSink'],
    ['hook', 'WebhookSink'],
    ['other', 'KafkaSink'],
    ['lake', 'ParquetSink'],
    ['bucket', 'ParquetSink'],
  ]);
  for (const sink of sinks) await sink.close();
});
