import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { RocksStateStore } from '../../../connectors/rocksdb/rocks-state-store.js';
import { CheckpointedStore } from '../../../runtime/checkpoint/checkpointed-store.js';
import { zstd } from '../../../runtime/checkpoint/files/zstd.js';
import type { CheckpointListener, CheckpointStatus } from '../../../runtime/checkpoint/options.js';
import { Standby } from '../../../runtime/checkpoint/standby/standby.js';
import { MemoryStateStore } from '../../../runtime/memory/memory-state-store.js';
import type { Clock } from '../../../runtime/ports/clock.js';
import type { Log, TopicPartition } from '../../../runtime/ports/log.js';
import type { ObjectStore } from '../../../runtime/ports/object-store.js';
import type { StateStore } from '../../../runtime/ports/state-store.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { AheadStore } from '../../../runtime/state-ahead/ahead-store.js';
import { StartAhead } from '../../../runtime/state-ahead/start-ahead.js';
import { decodeCut } from '../../../runtime/task/stored/cut.js';
import { inMainThread } from '../../lanes/lane-count.js';
import type { BackgroundPart } from '../../parts.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Where state is kept between starts. Without a place, a start replays the log. */
export async function openStore(settings: Settings, report?: (text: string) => void): Promise<StateStore> {
  if (settings.state.store === 'memory') return new MemoryStateStore();
  return RocksStateStore.open({
    directory: join(settings.data.directory, 'state'),
    whenDamaged: settings.state.whenDamaged,
    report,
  });
}

export interface StateParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  /** Says of a topic whether its partitions have state. */
  readonly hasState: (topic: string) => boolean;
  /** The place for checkpoints that the settings name; `null`: none. */
  readonly openObjects: () => Promise<ObjectStore | null>;
  readonly report: (text: string) => void;
  readonly listener?: CheckpointListener;
}

/** The state of the service: on this machine, with checkpoints elsewhere and a standby where the settings ask for them. */
export class ServiceState {
  /** The standby, if there is to be one. It needs `open` to have come before its start. */
  readonly background: readonly BackgroundPart[];
  private checkpointed: CheckpointedStore | null = null;
  private ahead: AheadStore | null = null;
  private readonly opened: { close(): Promise<void> }[] = [];

  constructor(private readonly parts: StateParts) {
    const { to, standby } = parts.settings.checkpoint;
    this.background = to !== 'none' && standby ? [this.standbyPart()] : [];
  }

  /** To be called once. Throws `StateStoreError`, `ObjectStoreError`. */
  async open(): Promise<StateStore> {
    const { settings, report, openObjects } = this.parts;
    const inner = this.withAhead(await openStore(settings, report));
    this.opened.unshift(inner);
    const objects = await openObjects();
    if (objects === null) return inner;
    this.opened.push(objects);
    this.checkpointed = checkpointedStore(this.parts, inner, this.ahead, objects);
    this.opened[0] = this.checkpointed;
    return this.checkpointed;
  }

  /** Reads state while partitions are waited for; `null`: there is none, or nobody waits. To be called after `open`. */
  startAhead(): StartAhead | null {
    const { ahead: store, checkpointed } = this;
    if (store === null) return null;
    const start = new StartAhead({
      ...{ store, clock: this.parts.clock, report: this.parts.report },
      partitions: async () => fromAnywhere(await this.partitions()),
      ...(checkpointed && { follow: (partition, stopped) => checkpointed.follow(partition, stopped) }),
      keeps: this.background.length > 0,
    });
    this.opened.unshift({ close: () => start.stop() });
    start.start();
    return start;
  }

  /** Of the partitions that are owned here; none without a place for checkpoints. */
  checkpoints(): readonly CheckpointStatus[] {
    return this.checkpointed?.status() ?? [];
  }

  async close(): Promise<void> {
    for (const part of this.opened.splice(0)) await part.close();
  }

  private withAhead(store: StateStore): StateStore {
    const { settings } = this.parts;
    if (settings.state.readAhead === 0 || settings.state.store === 'memory' || inMainThread(settings)) return store;
    this.ahead = new AheadStore(store, settings.state.readAhead, turn);
    return this.ahead;
  }

  private standbyPart(): BackgroundPart {
    const { settings, clock, report } = this.parts;
    let standby: Standby | null = null;
    return {
      name: 'standby',
      start: async () => {
        const store = this.checkpointed;
        if (store === null) throw new Error('the standby follows into a store that is not open');
        const { ahead } = this;
        const follow = async (partition: TopicPartition, stopped: AbortSignal): Promise<void> => {
          if (ahead === null) await store.follow(partition, stopped);
          else await followReady(store, ahead, partition, stopped);
        };
        const partitions = () => this.partitions();
        standby = new Standby({ follow, partitions, clock, intervalMs: settings.checkpoint.interval / 2, report });
        await standby.start();
      },
      stop: async () => standby?.stop(),
    };
  }

  private async partitions(): Promise<readonly TopicPartition[]> {
    const { log, hasState } = this.parts;
    const topics = (await log.topics()).filter(({ name }) => hasState(name));
    return topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
    );
  }
}

/** Follows a partition, and has what there is of it wait in memory for the moment in which it comes here. */
async function followReady(
  store: CheckpointedStore,
  ahead: AheadStore,
  partition: TopicPartition,
  stopped: AbortSignal,
): Promise<void> {
  await store.follow(partition, stopped);
  if (!store.isOwned(partition)) await ahead.readAhead(partition);
}

/** Where several start at once, each begins with others. */
function fromAnywhere(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  const first = partitions.length === 0 ? 0 : randomInt(partitions.length);
  return [...partitions.slice(first), ...partitions.slice(0, first)];
}

function checkpointedStore(
  parts: StateParts,
  inner: StateStore,
  ahead: AheadStore | null,
  objects: ObjectStore,
): CheckpointedStore {
  const { settings, clock, report, listener } = parts;
  const { interval, minPause, timeout, tolerated, retained } = settings.checkpoint;
  return new CheckpointedStore({
    ...{ inner, objects, clock, report, tolerated, retained },
    ...(listener === undefined ? {} : { listener }),
    ...(ahead && { whileCopied: (partition, copy) => ahead.whileCopied(partition, copy) }),
    group: settings.kafka.groupId,
    writer: randomUUID().replaceAll('-', ''),
    intervalMs: interval,
    minPauseMs: minPause,
    timeoutMs: timeout,
    positionOf,
    compression: zstd,
    turn,
  });
}

/** `null`: another release wrote it. */
function positionOf(cut: Uint8Array): number | null {
  try {
    return decodeCut(cut).position;
  } catch {
    // Whoever gets the partition says so.
    return null;
  }
}
