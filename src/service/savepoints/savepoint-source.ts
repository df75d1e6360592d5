import { systemClock } from '../../connectors/system-clock.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Log, TopicPartition } from '../../runtime/ports/log.js';
import type { StateStore } from '../../runtime/ports/state-store.js';
import { type TakenSavepoint, takeSavepoint } from '../../runtime/savepoint/take.js';
import type { Settings } from '../../runtime/settings/index.js';
import { ruleSetsOf } from '../compose/rules/rule-set.js';
import type { RuleSource } from '../compose/rules/running-rules.js';
import { makeStreams } from '../compose/streams/stream-parts.js';
import type { SavepointSource } from './savepoint-jobs.js';
import { takeOptions } from './savepoint-parts.js';

export interface SourceParts {
  readonly settings: () => Settings;
  readonly log: Log;
  /** The rules that run now. */
  readonly sources: () => readonly RuleSource[];
  /** The lists that they ask. */
  readonly lists: () => ReferenceLists;
  /** `null` before it is open. */
  readonly store: () => StateStore | null;
}

/** Savepoints of partitions that this process owns: of what is stored of them while it runs. */
export function savepointSource({ settings: now, log, sources, lists, store }: SourceParts): SavepointSource {
  return {
    async take(path, partitions, { nowMs, signal, onProgress }): Promise<TakenSavepoint> {
      const settings = now();
      const open = store();
      if (open === null) throw new Error('the state is not open yet');
      // Of no use but for the rules: no record is decoded.
      const silent = { onTrouble: () => undefined, onRecovered: () => undefined };
      const streams = makeStreams({ settings, clock: systemClock, ...silent });
      return takeSavepoint(path, {
        ...takeOptions({ settings, log, streams, ruleSets: ruleSetsOf(sources(), settings, streams, lists()) }),
        ...{ partitions: partitions.map(plain), committed: null, nowMs, signal, onProgress },
        stateOf: (partition) => open.partition(partition),
      });
    },
  };
}

const plain = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition });
