import { CHUNK_SIZES, type ChunkSizes } from '../../../src/runtime/chunked/chunk-sizes.js';
import type { RuleSetVersion } from '../../../src/runtime/journal/rule-set-version.js';
import type { LaneStream } from '../../../src/runtime/lane/options.js';
import type { LaneRules } from '../../../src/runtime/lane/routing.js';
import type { RecordDecoder } from '../../../src/runtime/ports/decoder.js';
import type { TopicInfo } from '../../../src/runtime/ports/log.js';
import type { Chance } from './chance.js';
import { type Arrival, arrivals } from './source.js';
import { VERSIONS } from './versions.js';

/** What a world is about: records of which topics come, and which rules run on them. */
export interface Scene {
  readonly topics: readonly TopicInfo[];
  readonly arrivals: (chance: Chance) => readonly Arrival[];
  /** Topics that the lanes write to and read themselves. */
  readonly routed: readonly string[];
  /** Rule sets that processes run, one after the other or side by side. */
  readonly versions: readonly SceneRules[];
  /** Streams that are read beside `rows`. */
  readonly others: (decoder: RecordDecoder) => readonly LaneStream[];
  /** What the journal holds of a rule set. */
  readonly versionOf: (digest: string, decoder: RecordDecoder) => RuleSetVersion | undefined;
  readonly settings: LaneSettings;
}

/** Settings that are the same for all processes of a seed. */
export interface LaneSettings {
  readonly commitIntervalMs: number;
  readonly commitRecords: number;
  readonly snapshotIntervalMs: number;
  readonly hotKeysMax: number;
  /** Bytes of windows of features in memory; `null`: no bound. */
  readonly windowsMemory: number | null;
  readonly handedOverAtOnce: number;
  readonly idleAfterMs: number;
  readonly chunkSizes: ChunkSizes;
  /** Rules were compiled before, for other worlds; otherwise each process compiles what it needs. */
  readonly sharesCompiled: boolean;
  /** `null`: none are written. */
  readonly checkpointIntervalMs: number | null;
  /** Transactions have a name of their machine's. */
  readonly namedTransactions: boolean;
}

export interface SceneRules {
  readonly digest: string;
  rules(decoder: RecordDecoder): LaneRules;
}

/** Makes the scene of a seed. */
export type MakeScene = (chance: Chance) => Scene;

/** When the last of the records comes, about. */
export const RECORDS_MS = 1200;

/** One stream, of one to three partitions, and rules that change. */
export const oneStream: MakeScene = (chance) => {
  const partitions = chance.between(1, 3);
  const settings = settingsOf(chance);
  return {
    topics: [{ name: 'rows', partitions }],
    arrivals: (more) => {
      const source = { partitions, records: more.between(25, 70), durationMs: RECORDS_MS };
      return arrivals(source, more.fork());
    },
    ...{ routed: [], settings },
    versions: VERSIONS.map((version) => ({
      digest: version.digest,
      rules: (decoder) => ({ source: { ...version, decoder }, routes: [] }),
    })),
    others: () => [],
    versionOf: (digest, decoder) => {
      const found = VERSIONS.find((version) => version.digest === digest);
      return found && { ...found, decoder };
    },
  };
};

export function settingsOf(chance: Chance): LaneSettings {
  return {
    commitIntervalMs: chance.pick([20, 50, 100]),
    commitRecords: chance.pick([3, 20, 1000]),
    snapshotIntervalMs: chance.pick([0, 60, 200, 600]),
    hotKeysMax: chance.pick([1, 2, 16_384]),
    handedOverAtOnce: chance.pick([1, 512]),
    windowsMemory: chance.pick([null, 0, 300]),
    idleAfterMs: chance.pick([0, 150, 400]),
    chunkSizes: chance.pick([CHUNK_SIZES, { splitFrom: 100, chunkBytes: 80 }, { splitFrom: 1, chunkBytes: 1 }]),
    checkpointIntervalMs: chance.pick([null, null, 50, 200]),
    namedTransactions: chance.happens(0.5),
    sharesCompiled: chance.happens(0.9),
  };
}
