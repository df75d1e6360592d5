/**
 * What `stakeout backtest` takes on the card payments of `examples/cards`: time, processor, memory.
 *
 *     npm run -s build && node --import ./test/harness/run-typescript.mjs bench/backtest.ts --data FOLDER [--runs 3] [--only full,rule,sweep,year]
 *
 * Each run is a process of its own, as a user starts it, from the config to the report. Its seconds by the clock have the start of Node.js in them;
 * seconds of processor are of all its threads, and say more where the machine has other work. FOLDER holds the files of `examples/cards`.
 *
 * - full: the rule set with its report, with 1, 2 and 4 lanes, in turn. All must have one digest.
 * - rule: one rule without state (an amount above 220.00), one lane.
 * - sweep: one rule with an average of 30 days, one lane, alone and as twenty variants in one pass.
 * - year: the rule set over Parquet: the payments and chargebacks, and all of them again 183 days later, a file for each month; two lanes.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { AvroFile } from '../src/connectors/file/formats/avro-file.js';
import { root } from './kit/service-process.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: 'full,rule,sweep,year' },
  },
});
if (values.data === undefined)
  throw new Error('--data FOLDER: where transactions.avro, chargebacks.avro and labels.avro are');
const data = resolve(values.data);
const runs = Number(values.runs);
const folder = mkdtempSync(join(tmpdir(), 'stakeout-backtest-'));
const CONFIG = join(root, 'examples', 'cards', 'stakeout.yaml');
const OUTPUT_BYTES_MAX = 1 << 28;

interface Run {
  readonly seconds: number;
  readonly processor: number;
  readonly megabytes: number;
  readonly events: number;
  readonly digest: string;
}

/** The process says at its end what it has taken. */
const HOOK = join(folder, 'usage.mjs');
writeFileSync(
  HOOK,
  `import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => writeFileSync(process.env.USAGE_FILE, JSON.stringify(process.resourceUsage())));
`,
);

function backtest(config: string, ...options: readonly string[]): Run {
  const usage = join(folder, 'usage.json');
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', HOOK, join(root, 'bin', 'stakeout.mjs'), 'backtest', '--config', config, '--json', ...options],
    { env: { ...process.env, USAGE_FILE: usage }, maxBuffer: OUTPUT_BYTES_MAX },
  );
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`${options.join(' ')}: status ${status}\n${stderr}`);
  const { events, digest } = JSON.parse(String(stdout)) as Run;
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(usage, 'utf8')) as NodeJS.ResourceUsage;
  return { seconds, processor: (userCPUTime + systemCPUTime) / 1e6, megabytes: maxRSS / 1024, events, digest };
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

function tell(what: string, of: readonly Run[]): void {
  const [seconds, processor] = [median(of.map((run) => run.seconds)), median(of.map((run) => run.processor))];
  const rate = Math.round(of[0]!.events / processor).toLocaleString('en-US');
  const memory = Math.max(...of.map(({ megabytes }) => megabytes));
  process.stdout.write(
    `${what}: ${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of processor (${rate} events for each), ${memory.toFixed(0)} MB\n`,
  );
}

/** Different runs in turn, so that what else the machine does is the same for all. */
function inTurn(kinds: Readonly<Record<string, () => Run>>): Readonly<Record<string, readonly Run[]>> {
  const found = Object.fromEntries(Object.keys(kinds).map((name) => [name, [] as Run[]]));
  for (let round = 0; round < runs; round++) for (const [name, run] of Object.entries(kinds)) found[name]!.push(run());
  for (const [name, own] of Object.entries(found)) tell(name, own);
  return found;
}

function full(): void {
  const report = ['--data', data, '--report', join(folder, 'report.html')];
  const lanes = [1, 2, 4].map((n) => [`${n} lanes`, () => backtest(CONFIG, ...report, '--lanes', String(n))] as const);
  const digests = new Set(
    Object.values(inTurn(Object.fromEntries(lanes))).flatMap((own) => own.map((run) => run.digest)),
  );
  process.stdout.write(digests.size === 1 ? `one digest: ${[...digests][0]}\n` : `${digests.size} digests\n`);
}

function rule(): void {
  inTurn({
    'one rule': () => backtest(CONFIG, '--data', data, '--lanes', '1', '--rules', 'amount-above-220'),
  });
}

function sweep(): void {
  mkdirSync(join(folder, 'average', 'cards-average'), { recursive: true });
  const text = readFileSync(join(root, 'bench', 'patterns', 'cards-average.yaml'), 'utf8');
  writeFileSync(join(folder, 'average', 'cards-average', 'pattern.yaml'), text);
  const one = ['--data', data, '--lanes', '1', '--patterns', join(folder, 'average')];
  const found = inTurn({
    'one rule with an average': () => backtest(CONFIG, ...one),
    'twenty variants in one pass': () => backtest(CONFIG, ...one, '--sweep', 'factor=2..11.5:20'),
  });
  const [alone, swept] = Object.values(found).map((own) => median(own.map(({ processor }) => processor)));
  process.stdout.write(`twenty variants: ${(swept! / alone!).toFixed(2)} times one\n`);
}

type Row = Readonly<Record<string, unknown>>;
/** After the last event: what is later than the range is not read. */
const YEAR_TO = '2019-04-15';
const DAYS_MS = 183 * 86_400_000;
const TYPES: Readonly<Record<string, 'INT64' | 'INT32'>> = { transaction_id: 'INT64', event_time: 'INT64' };

/** Writes a stream and its repetition, a file for each thirty days. */
async function parquetOf(stream: string): Promise<void> {
  const file = await AvroFile.open(join(data, `${stream}.avro`));
  const rows: Row[] = [];
  for await (const batch of file.batches(null)) for (const { fields } of batch.rows) rows.push({ ...fields });
  await file.close();
  const again = rows.map(
    (row): Row => ({
      ...row,
      transaction_id: Number(row.transaction_id) + 10_000_000,
      event_time: Number(row.event_time) + DAYS_MS,
    }),
  );
  const year = [...rows, ...again];
  const begin = Number(year[0]!.event_time);
  const months = Map.groupBy(year, (row) => Math.floor((Number(row.event_time) - begin) / (30 * 86_400_000)));
  mkdirSync(join(folder, stream));
  for (const [month, own] of months) {
    const columnData = Object.keys(own[0]!).map((name) => {
      const type = TYPES[name] ?? 'INT32';
      const values = own.map((row) => (type === 'INT64' ? BigInt(Number(row[name])) : Number(row[name])));
      return { name, type, data: values };
    });
    const bytes = parquetWriteBuffer({ columnData, rowGroupSize: 50_000 });
    writeFileSync(join(folder, stream, `${String(month).padStart(2, '0')}.parquet`), new Uint8Array(bytes));
  }
}

async function year(): Promise<void> {
  for (const stream of ['transactions', 'chargebacks']) await parquetOf(stream);
  const config = join(folder, 'stakeout.yaml');
  const text = readFileSync(CONFIG, 'utf8')
    .replace('transactions.avro', join(folder, 'transactions'))
    .replace('chargebacks.avro', join(folder, 'chargebacks'))
    .replaceAll('outOfOrderness: 0s', 'outOfOrderness: 0s\n    format: parquet')
    .replace('labels.avro', join(data, 'labels.avro'))
    .replaceAll(/patterns: \.\/(\w+)/g, (_, name) => `patterns: ${join(root, 'examples', 'cards', name)}`);
  writeFileSync(config, text);
  inTurn({
    'a year of Parquet, 2 lanes': () =>
      backtest(config, '--lanes', '2', '--to', YEAR_TO, '--report', join(folder, 'year.html')),
  });
}

const KINDS: Readonly<Record<string, () => void | Promise<void>>> = { full, rule, sweep, year };
try {
  for (const name of values.only.split(',')) {
    const kind = KINDS[name];
    if (kind === undefined) throw new Error(`--only takes ${Object.keys(KINDS).join(', ')}, not ${name}`);
    await kind();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
