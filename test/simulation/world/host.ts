import { CheckpointedStore } from '../../../src/runtime/checkpoint/checkpointed-store.js';
import { SpillSpace } from '../../../src/runtime/keys/windows/spill-space.js';
import type { DeliveryMode } from '../../../src/runtime/lane/commit/delivery.js';
import { Lane } from '../../../src/runtime/lane/lane.js';
import type { LaneOptions } from '../../../src/runtime/lane/options.js';
import type { MemoryLog } from '../../../src/runtime/memory/memory-log.js';
import type { MemoryObjectStore } from '../../../src/runtime/memory/memory-object-store.js';
import { MemorySpillFile } from '../../../src/runtime/memory/memory-spill-file.js';
import type { RecordDecoder } from '../../../src/runtime/ports/decoder.js';
import type { StateStore } from '../../../src/runtime/ports/state-store.js';
import { jsonDecoder, stream } from '../../harness/lane-kit.js';
import { compiledBefore } from './compiled.js';
import { readCut } from './invariants.js';
import type { LaneSettings, Scene, SceneRules } from './scene.js';
import type { SimDisk } from './sim-disk.js';
import { SimStore } from './sim-disk.js';
import { SimLog } from './sim-log.js';
import type { InspectCommit } from './sim-member.js';
import { SimObjects } from './sim-objects.js';
import { SimProcess, type Surroundings } from './sim-process.js';

const text = new TextEncoder();

/** What outlives processes, but for their machines. */
export interface Shared {
  readonly log: MemoryLog;
  readonly objects: MemoryObjectStore;
  readonly inspect: InspectCommit;
  readonly settings: LaneSettings;
  readonly scene: Scene;
}

/** One life of a process with a lane in it. */
export class Life {
  readonly process: SimProcess;
  readonly log: SimLog;
  readonly lane: Lane;
  private readonly decoder: RecordDecoder;
  /** It was asked to stop. */
  stopping = false;

  constructor(
    readonly host: Host,
    number: number,
    around: Surroundings,
    on: Shared,
    version: SceneRules,
    delivery: DeliveryMode,
    onFailed: (life: Life, why: string) => void,
  ) {
    this.process = new SimProcess(`${host.name}.${number}`, around);
    this.log = new SimLog(on.log, this.process, on.inspect);
    this.decoder = slowDecoder(this.process);
    const options = {
      ...laneOptions(this.process, this.log, version, this.decoder, delivery, on),
    };
    const named = on.settings.namedTransactions ? { transactionalId: host.name } : {};
    this.lane = new Lane({
      ...{ ...options, ...named },
      store: storeOf(host, this.process, on.objects, on.settings.checkpointIntervalMs),
      listener: {
        onPhase: (phase, trouble) => {
          if (phase === 'failed') onFailed(this, trouble ?? '');
        },
      },
    });
    this.process.trace(`begins, ${delivery}, rules ${version.digest.slice(0, 6)}`);
    this.lane.start().catch((error: unknown) => {
      if (!this.stopping) onFailed(this, (error as Error).stack ?? String(error));
    });
  }

  /** Other rules come to it while it runs. */
  setRules(version: SceneRules): void {
    this.process.receive(() => {
      this.process.trace(`gets rules ${version.digest.slice(0, 6)}`);
      void this.lane.setRules(version.rules(this.decoder));
    });
  }

  expire(): void {
    for (const member of this.log.members) member.expire();
  }
}

/** A machine: it runs one process at a time, and has a disk. */
export class Host {
  life: Life | null = null;
  lives = 0;

  constructor(
    readonly name: string,
    readonly disk: SimDisk,
  ) {}
}

/** What takes time takes some here, too: so that keys which come bit by bit do not all come at once. */
function stopwatch({ around }: SimProcess): () => number {
  let calls = 0;
  return () => around.clock.now() / 1000 + calls++ * 0.002;
}

const spillOf = (bytesMax: number): NonNullable<LaneOptions['spill']> => ({
  space: new SpillSpace(() => new MemorySpillFile()),
  memory: { bytesMax, used: 0 },
});

function laneOptions(
  process: SimProcess,
  log: SimLog,
  version: SceneRules,
  decoder: RecordDecoder,
  delivery: DeliveryMode,
  { settings, scene }: Shared,
): Omit<LaneOptions, 'store' | 'listener'> {
  const { source, routes } = version.rules(decoder);
  const { commitIntervalMs, commitRecords, snapshotIntervalMs, hotKeysMax, handedOverAtOnce, idleAfterMs } = settings;
  return {
    ...{ log, delivery, commitIntervalMs, commitRecords, snapshotIntervalMs, hotKeysMax, handedOverAtOnce },
    ...(settings.windowsMemory === null ? {} : { spill: spillOf(settings.windowsMemory) }),
    chunkSizes: settings.chunkSizes,
    ...(settings.sharesCompiled && { compilers: compiledBefore() }),
    clock: process.clock,
    stream: { ...stream, idleAfterMs },
    group: { groupId: 'g', topics: { names: ['rows'] }, start: { at: 'earliest' } },
    ...{ ruleSet: source, routes, others: scene.others(decoder) },
    readRuleSet: async (body, bodyOf) => {
      const digest = new TextDecoder().decode(body);
      const found = scene.versionOf(digest, decoder);
      if (found === undefined) throw new Error(`no rule set ${digest}`);
      if (found.apart !== undefined && (await bodyOf(found.apart.digest)) === undefined)
        throw new Error(`the journal does not hold the rules of ${digest}`);
      return found;
    },
    encoder: { encode: (alert) => text.encode(JSON.stringify(alert)) },
    source: null,
    alerts: { name: 'alerts', partitions: 1 },
    deadLetters: { name: 'dead-letters', partitions: 1 },
    late: { name: 'late', partitions: 1 },
    journal: { name: 'journal', partitions: 1 },
    stopwatch: stopwatch(process),
    turn: async () => undefined,
    report: (said) => {
      if (/^rows.*: filling .* going on from/.test(said)) process.around.tally.add('filling went on');
      process.trace(`says: ${said}`);
    },
  };
}

function storeOf(
  { disk }: Host,
  process: SimProcess,
  objects: MemoryObjectStore,
  checkpointIntervalMs: number | null,
): StateStore {
  const inner = new SimStore(disk, process);
  if (checkpointIntervalMs === null) return inner;
  return new CheckpointedStore({
    ...{ inner, clock: process.clock, group: 'g', writer: process.name.replace('.', 'x') },
    ...{ intervalMs: checkpointIntervalMs, minPauseMs: 10, timeoutMs: 500, tolerated: 1, retained: 2 },
    objects: new SimObjects(objects, process),
    positionOf: (cut) => readCut(cut)?.position ?? null,
    compression: null,
    turn: async () => undefined,
    report: (said) => process.trace(`says: ${said}`),
    listener: {
      onCheckpoint: (_, { kind }) => process.around.tally.add(`checkpoints, ${kind}`),
      onFailure: () => process.around.tally.add('checkpoints, failed'),
    },
  });
}

/** A schema registry that now and then takes its time. */
function slowDecoder(process: SimProcess): RecordDecoder {
  const { chance, clock, tally } = process.around;
  return {
    ...jsonDecoder,
    prepare: () => {
      const { slowRate, slowMsMax } = process.around.weather;
      if (!chance.happens(slowRate / 2)) return undefined;
      tally.add('slow, registry');
      return clock.pause(chance.between(1, slowMsMax)).then(() => process.awake());
    },
  };
}
