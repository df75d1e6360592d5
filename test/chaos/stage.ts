/** What every run on real Kafka stands on: brokers, services of one group, traffic, and the judgement in the end. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { type KafkaCluster, startKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { FoundAlerts } from './found-alerts.js';
import { countSource, type SourceCount, type Verified, verified } from './judge.js';
import { Network } from './network.js';
import { Dice } from './random.js';
import { Service } from './service.js';
import { ALERTS, type Delivery, LATE, PARTITIONS, READ, ROUTED, TOLD, TOPIC, writeSettings } from './settings.js';
import { Traffic } from './traffic.js';

export interface StageOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly delivery: Delivery;
  readonly unitsPerSecond: number;
  /** Folder of the built package. */
  readonly home: string;
  /** For settings, state, checkpoints and logs; must be there. */
  readonly folder: string;
  /** Nothing may take longer to be well again. */
  readonly patienceMs: number;
  readonly say: (text: string) => void;
}

/** What became of records and alerts. */
export interface Judgement {
  readonly source: SourceCount;
  readonly sent: number;
  /** Alerts known from how the records were made. */
  readonly expected: number;
  readonly found: number;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly repeats: number;
  /** Alerts that are there under two ids. */
  readonly otherIds: readonly string[];
  readonly late: number;
  /** The replays of the source topic and of the repartition topic. */
  readonly replays: readonly Verified[];
  /** What should not have happened, whatever became of the alerts. */
  readonly problems: readonly string[];
}

export const STARTED_MAX_MS = 120_000;
const LOOK_MS = 500;

export class Stage {
  readonly dice: Dice;
  readonly found: FoundAlerts;
  readonly services: Service[] = [];
  readonly problems: string[] = [];

  private constructor(
    readonly options: StageOptions,
    readonly kafka: KafkaCluster,
    readonly log: KafkaLog,
    readonly traffic: Traffic,
  ) {
    this.dice = new Dice(options.seed);
    this.found = new FoundAlerts(log, ALERTS);
  }

  /** Brokers, and topics with nothing in them. No service, and no traffic yet. */
  static async on<T>(options: StageOptions, play: (stage: Stage) => Promise<T>): Promise<T> {
    const { home, folder, nodes, seed, unitsPerSecond } = options;
    mkdirSync(folder, { recursive: true });
    const kafka = await startKafka({ own: true, nodes });
    const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'chaos' });
    let stage: Stage | null = null;
    try {
      await log.createTopic({ name: TOPIC, partitions: PARTITIONS });
      const encoder = new TransactionEncoder(readAvroSchema(join(home, 'schemas/transaction.avsc')));
      const sized = { topic: TOPIC, partitions: PARTITIONS, unitsPerSecond };
      stage = new Stage(options, kafka, log, new Traffic(sized, await log.producer(), encoder, new Dice(seed)));
      return await play(stage);
    } finally {
      await Promise.all(stage?.services.map((service) => service.end()) ?? []);
      await Promise.all(stage?.services.map(({ network }) => network.close()) ?? []);
      await log.close();
      await kafka.stop();
    }
  }

  /** A service that is not started yet. */
  async add(name: string, isNamed: boolean): Promise<Service> {
    const { folder, home, delivery } = this.options;
    const network = await Network.start(this.kafka.brokers, this.dice);
    writeSettings({ folder, home, name, brokers: network.brokers, delivery, isNamed });
    const service = new Service({ name, home, folder, network });
    this.services.push(service);
    return service;
  }

  /**
   * Waits until all is well: these services are ready, each partition is live in one of them, and every alert is there that follows
   * from what was sent before the call. Returns `null`, or what is not, when that takes too long.
   */
  async well(patienceMs: number, services: readonly Service[] = this.services): Promise<string | null> {
    const expected = this.traffic.expected(this.traffic.time);
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      const unserved = await notServed(services);
      await this.found.read();
      const missing = this.found.missingOf(expected);
      if (unserved === null && missing.length === 0) return null;
      if (performance.now() > giveUpAt)
        return `${unserved ?? 'all partitions are live'}; ${missing.length} alerts are missing, such as ${missing.slice(0, 5).join(', ')}`;
      await sleep(LOOK_MS);
    }
  }

  /** To be called when traffic has stopped, and nothing more comes: all alerts are found, or for a long time no other. */
  async settled(services: readonly Service[] = this.services): Promise<void> {
    const { traffic, found, problems } = this;
    const expected = traffic.expected();
    this.options.say(`${traffic.sent} records sent; waiting for ${expected.length} alerts`);
    const look = async (): Promise<boolean> => {
      await found.read();
      return found.missingOf(expected).length === 0;
    };
    await until(look, 'all alerts', this.options.patienceMs).catch((error: Error) => problems.push(error.message));
    // In good order, so that all is committed, and what came too much is there too.
    for (const service of services) if (!(await service.stop())) problems.push(`${service.name} did not stop`);
    await found.read();
  }

  /** What is committed beside what is known, and beside a replay by the version in `home`. */
  async judged(home = this.options.home): Promise<Judgement> {
    const { folder, delivery } = this.options;
    const { log, found, problems, traffic } = this;
    const config = writeSettings({
      ...{ folder, home, delivery, name: 'verify', brokers: this.kafka.brokers, isNamed: false },
    });
    const replays: Verified[] = [];
    for (const topic of [TOPIC, ROUTED, TOLD]) replays.push(await verified(home, config, topic));
    for (const { name, endedByItself } of this.services)
      for (const status of endedByItself) problems.push(`service ${name} ended by itself with ${status}`);
    const expected = traffic.expected();
    return {
      source: await countSource(log, TOPIC, PARTITIONS, traffic.sent),
      sent: traffic.sent,
      expected: expected.length,
      found: found.counts.size,
      missing: found.missingOf(expected),
      unexpected: found.unexpectedBeside(expected),
      repeats: found.repeats,
      otherIds: found.otherIds,
      late: await this.lateRecords(),
      replays,
      problems,
    };
  }

  private async lateRecords(): Promise<number> {
    const partitions = (await this.log.topics()).find(({ name }) => name === LATE)?.partitions ?? 0;
    let count = 0;
    for (let partition = 0; partition < partitions; partition++) {
      for await (const { records } of this.log.read({ topic: LATE, partition }, 0)) count += records.length;
    }
    return count;
  }
}

/** `null` when each partition is live in one service. */
async function notServed(services: readonly Service[]): Promise<string | null> {
  const all: string[] = [];
  for (const service of services) {
    const live = await service.livePartitions();
    if (live === null) return `service ${service.name} is not ready`;
    all.push(...live);
  }
  const isWhole = all.length === READ.length * PARTITIONS && new Set(all).size === all.length;
  return isWhole ? null : `live are ${all.sort().join(', ')}`;
}
