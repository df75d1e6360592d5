import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '../../../src/runtime/memory/memory-log.js';
import { ManualClock } from '../../../src/runtime/testing/manual-clock.js';
import { FakeIngest } from '../../../src/service/testing/a-service.js';
import { until } from '../../harness/until.js';
import { FileSource } from './file-source.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/connectors.md'), 'utf8');

it.each(['file-source.ts', 'folder-sink.ts', 'folder-sink.spec.ts'])(
  'docs/connectors.md shows %s as it runs here',
  (name) => {
    expect(page).toContain(`\`\`\`ts\n${readFileSync(join(import.meta.dirname, name), 'utf8')}\`\`\``);
  },
);

describe('a source that follows a file', () => {
  let folder: string;
  let file: string;
  let log: MemoryLog;
  let clock: ManualClock;
  let refused: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'file-source-'));
    file = join(folder, 'events.ndjson');
    [log, clock, refused] = [new MemoryLog(), new ManualClock(), []];
    await log.createTopic({ name: 'transactions', partitions: 1 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const started = async () => {
    const onRefused = (line: string) => refused.push(line);
    const source = new FileSource({ file, log, clock, ingest: new FakeIngest(), onRefused });
    await source.start();
    return source;
  };
  const ids = async () => {
    const seen: string[] = [];
    for await (const { records } of log.read({ topic: 'transactions', partition: 0 }, 0))
      for (const { key } of records) seen.push(new TextDecoder().decode(key!));
    return seen;
  };
  const line = (id: string) => `{"id":"${id}","amount":1}\n`;
  const untilThere = (count: number) =>
    until(async () => {
      clock.advance(500);
      return (await ids()).length >= count;
    }, `${count} records`);

  it('sends whole lines as they come, and goes on after a restart', async () => {
    writeFileSync(file, `${line('a')}${line('b')}{"id":"half`);
    const first = await started();
    await untilThere(2);
    appendFileSync(file, '","amount":1}\nnonsense\n');
    await untilThere(3);
    await first.stop();
    appendFileSync(file, line('c'));
    const second = await started();
    await untilThere(4);
    await second.stop();
    expect(await ids()).toEqual(['a', 'b', 'half', 'c']);
    expect(refused).toEqual(['nonsense']);
  });
});
