/**
 * From `kill -9` of the service to processing again, beside the session timeout of its consumer group.
 *
 *     npm run -s build && node --import ./test/harness/run-typescript.mjs bench/recovery.ts \
 *       [--keys 1000000] [--rate 2000] [--partitions 4] [--lanes 2] [--delivery exactly-once] [--runs 1] \
 *       [--cases same-host,other-host,standby] [--profile DIR] [--json]
 *
 * `--keys` accounts get state first: a run of a pattern with a week to go, and a count over a day. Then records of these accounts keep
 * coming at `--rate`, and one in 20 is marked and gives an alert at once, in each partition in turn. The service is killed, and
 *
 *     same-host    is started again on its own state folder
 *     other-host   is started with an empty folder: all state comes from the checkpoint store, a folder
 *     standby      another instance of the group, with `checkpoint.standby: true`, runs already and takes over (it owns half of
 *                  the partitions before, or none if there is a lane for each: `--partitions 1` has it take over all keys)
 *
 * `total` ends when an alert for a record that was sent after the kill can be read (read_committed) from every partition that the killed
 * process owned; `first` when from the first of them. The group has the default session timeout: until then the brokers count the dead
 * member as alive, counted from its last heartbeat, which is up to a second before the kill. `beyond` is the part of `total`
 * after it. The phases, from the service's own log, are counted from the kill too: `started` (its process can be asked), `assigned` (the
 * first partition), `copied` (the last checkpoint is in place), `live` (all partitions are), `caughtUp` (and nobody waits).
 *
 * Left out: the time an orchestrator takes to notice and to start a process elsewhere (it is started at once here), a network between
 * machines and to the checkpoint store, page caches that are cold. Streams of `mode: arrival`: with event time, alerts wait for
 * the watermark besides. Broker, service and this process share the processors of one machine.
 *
 * `--profile DIR`: CPU profiles of the processes that take over, one a thread (`node --cpu-prof`). They slow down what they measure.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { DirectoryObjectStore } from '../src/connectors/file/directory-object-store.js';
import { withDefaults } from '../src/connectors/kafka/client/options.js';
import { KafkaLog } from '../src/connectors/kafka/kafka-log.js';
import { Catalog } from '../src/runtime/checkpoint/files/catalog.js';
import { CheckpointNames } from '../src/runtime/checkpoint/files/names.js';
import type { LogProducer, OutgoingRecord } from '../src/runtime/ports/log.js';
import { startKafka } from '../test/harness/servers/index.js';
import { until } from '../test/harness/until.js';
import { AlertReader } from './kit/alert-reader.js';
import { MARK, MARKED_PATTERN, TOPIC, writeConfig } from './kit/config.js';
import { type LogLine, ServiceProcess, type Status } from './kit/service-process.js';
import { SteadySender } from './kit/steady-sender.js';
import { TransactionRecords } from './kit/transaction-records.js';

const SEND_AT_ONCE = 5000;
const MARKED_EVERY = 20;
const WAIT_MAX_MS = 600_000;
const SESSION_TIMEOUT_MS = withDefaults({ brokers: [], clientId: '' }).sessionTimeoutMs;
const CASES = ['same-host', 'other-host', 'standby'] as const;
type Case = (typeof CASES)[number];

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    rate: { type: 'string', default: '2000' },
    partitions: { type: 'string', default: '4' },
    lanes: { type: 'string', default: '2' },
    delivery: { type: 'string', default: 'exactly-once' },
    runs: { type: 'string', default: '1' },
    cases: { type: 'string', default: CASES.join(',') },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [keys, rate, partitions, runs] = [values.keys, values.rate, values.partitions, values.runs].map(Number) as [
  number,
  number,
  number,
  number,
];
const LAG_MAX = Math.max(1000, rate);

const SLEEPER_PATTERN = `id: sleeper
title: An account that was opened and drained
key: accountId
within: 7d
features:
  - name: seenToday
    count: true
    over: 1d
pattern:
  - begin: opened
    where: amount == 4242.0
  - followedBy: drained
    where: country == 'OFFSHORE' && seenToday > 1000
alert:
  severity: low
  message: "drained"
`;

interface Row {
  readonly case: Case;
  /** Keys of the partitions that were taken over. */
  readonly keys: number;
  readonly partitions: number;
  /** All in ms from the kill. */
  readonly totalMs: number;
  readonly beyondSessionMs: number;
  readonly firstMs: number;
  readonly startedMs: number;
  readonly assignedMs: number | null;
  readonly copiedMs: number | null;
  readonly liveMs: number | null;
  readonly caughtUpMs: number;
  /** What the processes said after the kill: which partitions came and went live when, what was restored, what was waited for. */
  readonly said: readonly string[];
}

interface Running {
  readonly service: ServiceProcess;
  /** Its folder. */
  readonly host: string;
}

class Bench {
  private hosts = 0;
  private readonly checkpoints: string;
  /** When marked records were sent, and to which partition, by id. */
  private readonly marked = new Map<string, { readonly partition: number; readonly sentAt: number }>();
  private readonly records = new TransactionRecords();
  private readonly reader: AlertReader;
  private onMarked: (partition: number, sentAt: number, readAt: number) => void = () => undefined;
  readonly rows: Row[] = [];

  constructor(
    private readonly brokers: readonly string[],
    private readonly log: KafkaLog,
    private readonly folder: string,
  ) {
    this.checkpoints = join(folder, 'checkpoints');
    this.reader = new AlertReader(log, partitions, 'marked', (id, at) => {
      const mark = this.marked.get(id);
      if (mark !== undefined) this.onMarked(mark.partition, mark.sentAt, at);
      this.marked.delete(id);
    });
  }

  async run(cases: readonly Case[]): Promise<void> {
    const producer = await this.log.producer();
    let running = this.start(this.newHost(false));
    let sender: SteadySender | null = null;
    try {
      await running.service.isLive(partitions, 0, WAIT_MAX_MS);
      await this.fill(producer);
      await running.service.isLive(partitions, 0, WAIT_MAX_MS);
      await this.copied(await running.service.status());
      sender = new SteadySender(producer, rate, (number) => this.next(number));
      const sending = sender.run();
      // Whoever awaits it gets the error.
      sending.catch(() => undefined);
      for (const name of cases) for (let run = 0; run < runs; run++) running = await this.kill(name, running);
      sender.stop();
      await sending;
    } finally {
      sender?.stop();
      await running.service.stop();
      await this.reader.stop();
      await producer.close();
    }
  }

  private async kill(name: Case, running: Running): Promise<Running> {
    const standby = name === 'standby' ? await this.startStandby(running) : null;
    const before = await running.service.isLive(standby === null ? partitions : 1, LAG_MAX, WAIT_MAX_MS);
    await this.copied(before);
    const owned = before.detector!.partitions;
    const awaited = new Set(owned.map(({ partition }) => partition));
    const readAt: number[] = [];
    const killedAt = performance.now();
    this.onMarked = (partition, sentAt, at) => {
      if (sentAt > killedAt && awaited.delete(partition)) readAt.push(at - killedAt);
    };
    const killedTime = Date.now();
    await running.service.kill9();
    const next = standby ?? this.start(name === 'same-host' ? running.host : this.newHost(false), true);
    const started = next.service.listens().then(() => performance.now() - killedAt);
    await until(
      () => awaited.size === 0,
      () => `alerts from partitions ${[...awaited].join(', ')}`,
      WAIT_MAX_MS,
    );
    const startedMs = await started;
    await next.service.isLive(partitions, LAG_MAX, WAIT_MAX_MS);
    const caughtUpMs = performance.now() - killedAt;
    const after = next.service.log.filter(({ time }) => time >= killedTime).toSorted((a, b) => a.time - b.time);
    const since = (line: LogLine | undefined): number | null => (line === undefined ? null : line.time - killedTime);
    const row: Row = {
      ...{ case: name, keys: owned.reduce((sum, p) => sum + p.keys, 0), partitions: owned.length },
      ...{ totalMs: readAt.at(-1)!, beyondSessionMs: readAt.at(-1)! - SESSION_TIMEOUT_MS, firstMs: readAt[0]! },
      startedMs: standby === null ? startedMs : 0,
      assignedMs: since(after.find(({ msg, partitions: some }) => msg === 'partitions assigned' && some!.length > 0)),
      copiedMs: since(after.findLast(isCopied)),
      liveMs: since(after.findLast(({ msg, partitions: some }) => msg === 'partitions live' && some!.length > 0)),
      caughtUpMs,
      said: after.filter(isTold).map((line) => `${since(line)} ms: ${textOf(line)}`),
    };
    this.rows.push(row);
    if (!values.json) process.stdout.write(shown(row));
    return next;
  }

  /** A second instance, which follows the checkpoints of what it does not own; waits until it has one of each partition. */
  private async startStandby(owner: Running): Promise<Running> {
    const standby = this.start(this.newHost(true), true);
    const has = new Set<string>();
    await until(
      () => {
        for (const { msg } of standby.service.log.filter(isCopied)) has.add(msg.slice(0, msg.indexOf(':')));
        return has.size === partitions;
      },
      () => `the standby to have all partitions, not ${[...has].join(', ')} alone`,
      WAIT_MAX_MS,
    );
    await owner.service.isLive(1, LAG_MAX, WAIT_MAX_MS);
    // Each lane is a member of the group: those that have partitions keep them while there are no more of them than of these.
    if (partitions > Number(values.lanes)) await standby.service.isLive(1, LAG_MAX, WAIT_MAX_MS);
    return standby;
  }

  /** Makes a folder with settings, and no state. */
  private newHost(standby: boolean): string {
    const host = join(this.folder, `host-${++this.hosts}`);
    writeConfig({
      ...{ folder: host, shipped: false, partitions, mode: 'arrival', logLevel: 'debug' },
      patterns: { marked: MARKED_PATTERN, sleeper: SLEEPER_PATTERN },
      settings: [
        `lanes: ${values.lanes}`,
        `delivery: ${values.delivery}`,
        // As the name of a pod: the same over restarts of a host.
        `kafka: { transactionalId: ${basename(host)} }`,
        `checkpoint: { to: directory, directory: ${this.checkpoints}, interval: 5s, minPause: 1s, standby: ${standby} }`,
      ],
    });
    return host;
  }

  /** `profiled`: if profiles are asked for at all. */
  private start(host: string, profiled = false): Running {
    const { profile } = values;
    const node =
      profiled && profile !== undefined ? ['--cpu-prof', '--cpu-prof-dir', join(profile, basename(host))] : [];
    return { service: ServiceProcess.start(join(host, 'stakeout.yaml'), this.brokers, node), host };
  }

  private async fill(producer: LogProducer): Promise<void> {
    for (let from = 0; from < keys; from += SEND_AT_ONCE) {
      const count = Math.min(SEND_AT_ONCE, keys - from);
      await producer.send(Array.from({ length: count }, (_, i) => this.account(`open-${from + i}`, from + i, 4242)));
    }
  }

  private next(number: number): OutgoingRecord {
    if (number % MARKED_EVERY !== 0) return this.account(`t${number}`, (number * 7919) % keys, 12.5);
    const partition = (number / MARKED_EVERY) % partitions;
    const id = `m${number}`;
    this.marked.set(id, { partition, sentAt: performance.now() });
    return { ...this.records.record({ ...this.transaction(id, MARK), accountId: `marked-${partition}` }), partition };
  }

  private account(id: string, account: number, amount: number): OutgoingRecord {
    return this.records.record({ ...this.transaction(id, amount), accountId: `account-${account}` });
  }

  private transaction(transactionId: string, amount: number) {
    return { transactionId, type: 'Payment', amount, country: 'DE', eventTime: Date.now() };
  }

  /** Waits until there are checkpoints of all that a process has processed. */
  private async copied(status: Status): Promise<void> {
    const objects = await DirectoryObjectStore.open({ directory: this.checkpoints });
    for (const { topic, partition, position } of status.detector!.partitions) {
      const catalog = new Catalog(
        { topic, partition },
        new CheckpointNames('stakeout', { topic, partition }),
        () => undefined,
      );
      await until(
        async () => {
          for await (const newest of catalog.manifests(objects, await catalog.list(objects)))
            return newest.position >= position;
          return false;
        },
        `a checkpoint of ${topic}-${partition} at ${position}`,
        WAIT_MAX_MS,
      );
    }
  }
}

const isCopied = ({ msg }: LogLine): boolean => / put in place /.test(msg);

const isTold = (line: LogLine): boolean =>
  isCopied(line) ||
  / replaying | read beforehand /.test(line.msg) ||
  line.trouble !== undefined ||
  (line.partitions ?? []).length > 0;

const textOf = ({ msg, partitions: some, trouble }: LogLine): string =>
  [msg, ...(some ?? []), ...(trouble === undefined ? [] : [trouble])].join(' ');

function shown(row: Row): string {
  const s = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1000).toFixed(2)} s`);
  return [
    `${row.case}: ${row.keys.toLocaleString('en-US')} keys in ${row.partitions} partitions: total ${s(row.totalMs)}`,
    `, session timeout ${s(SESSION_TIMEOUT_MS)}, beyond it ${s(row.beyondSessionMs)}\n`,
    `  started ${s(row.startedMs)}, assigned ${s(row.assignedMs)}, copied ${s(row.copiedMs)}, live ${s(row.liveMs)}, `,
    `first alert ${s(row.firstMs)}, all ${s(row.totalMs)}, caught up ${s(row.caughtUpMs)}\n`,
    ...row.said.map((text) => `    ${text}\n`),
  ].join('');
}

function casesWanted(): readonly Case[] {
  return values.cases.split(',').map((name) => {
    const found = CASES.find((one) => one === name);
    if (found === undefined) throw new Error(`--cases: ${name} is none of ${CASES.join(', ')}`);
    return found;
  });
}

async function main(): Promise<void> {
  const cases = casesWanted();
  const kafka = await startKafka({ own: true });
  const folder = mkdtempSync(join(tmpdir(), 'stakeout-recovery-'));
  const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'recovery' });
  try {
    await log.createTopic({ name: TOPIC, partitions });
    await log.createTopic({ name: 'alerts', partitions });
    const bench = new Bench(kafka.brokers, log, folder);
    await bench.run(cases);
    const { rows } = bench;
    if (values.json) {
      const about = { keys, rate, partitions, lanes: values.lanes, delivery: values.delivery };
      process.stdout.write(`${JSON.stringify({ ...about, sessionTimeoutMs: SESSION_TIMEOUT_MS, rows })}\n`);
    }
  } finally {
    await log.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
