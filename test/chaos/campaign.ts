/**
 * Rounds of faults on real Kafka: three brokers, two processes of one group, transactions at a steady rate throughout.
 *
 * A round is over when all is well again: both services are ready, each partition is live in one of them, and every alert is there
 * that follows from what was sent before the faults were over. In the end what is committed is compared with a replay of the
 * topics, and with what is known from how the records were made.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAvroSchema } from '../../src/connectors/avro/schema.js';
import { TransactionEncoder } from '../../src/connectors/avro/transaction-encoder.js';
import { KafkaLog } from '../../src/connectors/kafka/kafka-log.js';
import { type KafkaCluster, startKafka } from '../harness/servers/index.js';
import { until } from '../harness/until.js';
import { cause, type FaultKind } from './faults.js';
import { FoundAlerts } from './found-alerts.js';
import { countSource, type SourceCount, type Verified, verified } from './judge.js';
import { Network } from './network.js';
import { Progress } from './progress.js';
import { Dice } from './random.js';
import { Service } from './service.js';
import {
  ALERTS,
  checkpointsFolder,
  type Delivery,
  GROUP,
  LATE,
  PARTITIONS,
  ROUTED,
  TOPIC,
  writeSettings,
} from './settings.js';
import { Traffic } from './traffic.js';

export interface CampaignOptions {
  readonly plan: readonly (readonly FaultKind[])[];
  readonly seed: number;
  readonly nodes: number;
  readonly delivery: Delivery;
  readonly unitsPerSecond: number;
  /** Folder of the built package. */
  readonly home: string;
  /** For settings, state, checkpoints and logs; must be there. */
  readonly folder: string;
  /** No round may take longer to be well again. */
  readonly patienceMs: number;
  /** No round is begun after so long. */
  readonly roundsMaxMs: number;
  readonly say: (text: string) => void;
}

export interface Round {
  readonly faults: readonly FaultKind[];
  /** What was done, in words. */
  readonly done: readonly string[];
  /** From the first fault until all was well again, and the longest time that a partition stood still, in ms. */
  readonly tookMs: number;
  readonly stoodMs: number;
}

export interface Outcome {
  readonly rounds: readonly Round[];
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

const STARTED_MAX_MS = 120_000;
const LOOK_MS = 500;
const SERVICES = ['a', 'b'];

export async function campaign(options: CampaignOptions): Promise<Outcome> {
  mkdirSync(options.folder, { recursive: true });
  const kafka = await startKafka({ own: true, nodes: options.nodes });
  try {
    return await new Campaign(options, kafka).run();
  } finally {
    await kafka.stop();
  }
}

class Campaign {
  private readonly dice: Dice;
  private readonly log: KafkaLog;
  private readonly found: FoundAlerts;
  private readonly services: Service[] = [];
  private readonly rounds: Round[] = [];
  private readonly problems: string[] = [];

  constructor(
    private readonly options: CampaignOptions,
    private readonly kafka: KafkaCluster,
  ) {
    this.dice = new Dice(options.seed);
    this.log = new KafkaLog({ brokers: kafka.brokers, clientId: 'chaos' });
    this.found = new FoundAlerts(this.log, ALERTS);
  }

  async run(): Promise<Outcome> {
    const { home, unitsPerSecond } = this.options;
    try {
      await this.log.createTopic({ name: TOPIC, partitions: PARTITIONS });
      const encoder = new TransactionEncoder(readAvroSchema(join(home, 'schemas/transaction.avsc')));
      const sized = { topic: TOPIC, partitions: PARTITIONS, unitsPerSecond };
      const traffic = new Traffic(sized, await this.log.producer(), encoder, new Dice(this.options.seed));
      for (const [i, name] of SERVICES.entries()) this.services.push(await this.service(name, i === 0));
      for (const service of this.services) service.start();
      traffic.start();
      await Promise.all(this.services.map((service) => service.started(STARTED_MAX_MS)));
      await this.well(traffic, STARTED_MAX_MS);
      await this.allRounds(traffic);
      await traffic.stop();
      await this.settled(traffic);
      return await this.judged(traffic);
    } finally {
      await Promise.all(this.services.map((service) => service.end()));
      await Promise.all(this.services.map(({ network }) => network.close()));
      await this.log.close();
    }
  }

  private async service(name: string, isNamed: boolean): Promise<Service> {
    const { folder, home, delivery } = this.options;
    const network = await Network.start(this.kafka.brokers, this.dice);
    writeSettings({ folder, home, name, brokers: network.brokers, delivery, isNamed });
    return new Service({ name, home, folder, network });
  }

  private async allRounds(traffic: Traffic): Promise<void> {
    const { plan, patienceMs, roundsMaxMs, say, nodes, folder } = this.options;
    const progress = new Progress(this.log, GROUP);
    const around = { kafka: this.kafka, nodes, checkpoints: checkpointsFolder(folder) };
    const begunAt = performance.now();
    try {
      for (const faults of plan) {
        const from = performance.now();
        if (from - begunAt > roundsMaxMs) break;
        progress.takeLongest();
        const repeats = this.found.repeats;
        const done = await cause(faults, this.services, this.dice, around);
        const isWell = await this.well(traffic, patienceMs);
        const round = { faults, done, tookMs: performance.now() - from, stoodMs: progress.takeLongest() };
        this.rounds.push(round);
        const again = this.found.repeats - repeats;
        const number = `round ${this.rounds.length}`;
        say(
          `${new Date().toISOString()} ${number}: ${done.join('; ')}: ${Math.round(round.tookMs)} ms, stood ${Math.round(round.stoodMs)} ms, ${this.found.counts.size} alerts${again > 0 ? `, ${again} repeats` : ''}; ${progress.offsets()}`,
        );
        if (again > 0 && this.options.delivery === 'exactly-once') this.problems.push(`${number}: ${again} repeats`);
        if (done.some((text) => text.includes('did not stop in time')))
          this.problems.push(`${number}: ${done.join('; ')}`);
        if (isWell !== null) {
          this.problems.push(`${number} (${done.join('; ')}): ${isWell}`);
          say(`not well again: ${isWell}`);
          break;
        }
      }
    } finally {
      await progress.stop();
    }
  }

  /** Waits until all is well again. Returns `null`, or what is not, when that takes too long. */
  private async well(traffic: Traffic, patienceMs: number): Promise<string | null> {
    const expected = traffic.expected(traffic.time);
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      const unserved = await this.notServed();
      await this.found.read();
      const missing = this.found.missingOf(expected);
      if (unserved === null && missing.length === 0) return null;
      if (performance.now() > giveUpAt)
        return `${unserved ?? 'all partitions are live'}; ${missing.length} alerts are missing, such as ${missing.slice(0, 5).join(', ')}`;
      await sleep(LOOK_MS);
    }
  }

  /** `null` when each partition is live in one service. */
  private async notServed(): Promise<string | null> {
    const all: string[] = [];
    for (const service of this.services) {
      const live = await service.livePartitions();
      if (live === null) return `service ${service.name} is not ready`;
      all.push(...live);
    }
    const isWhole = all.length === 2 * PARTITIONS && new Set(all).size === all.length;
    return isWhole ? null : `live are ${all.sort().join(', ')}`;
  }

  /** Nothing more comes: all alerts are found, or for a long time no other. */
  private async settled(traffic: Traffic): Promise<void> {
    const expected = traffic.expected();
    this.options.say(`${traffic.sent} records sent; waiting for ${expected.length} alerts`);
    const look = async (): Promise<boolean> => {
      await this.found.read();
      return this.found.missingOf(expected).length === 0;
    };
    await until(look, 'all alerts', this.options.patienceMs).catch((error: Error) => this.problems.push(error.message));
    // In good order, so that all is committed, and what came too much is there too.
    for (const service of this.services)
      if (!(await service.stop())) this.problems.push(`${service.name} did not stop`);
    await this.found.read();
  }

  private async judged(traffic: Traffic): Promise<Outcome> {
    const { home, folder, delivery } = this.options;
    const { log, found, rounds, problems } = this;
    const config = writeSettings({
      ...{ folder, home, delivery, name: 'verify', brokers: this.kafka.brokers, isNamed: false },
    });
    const replays: Verified[] = [];
    for (const topic of [TOPIC, ROUTED]) replays.push(await verified(home, config, topic));
    for (const { name, endedByItself } of this.services)
      for (const status of endedByItself) problems.push(`service ${name} ended by itself with ${status}`);
    const expected = traffic.expected();
    return {
      rounds,
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
