import type { LogRecord } from '../../../src/runtime/ports/log.js';
import { decodeEnvelope, originOf } from '../../../src/runtime/repartition/envelope.js';
import type { Tally } from './faults.js';
import { OUTPUT_TOPICS, readTopic, show } from './outputs.js';
import { type SimulatedDelivery, SimWorld } from './sim-world.js';
import type { Simulated } from './simulate.js';
import { twoStreams } from './two-streams.js';

const utf8 = new TextDecoder();

/**
 * Runs one seed of two streams that are joined, and says how what was committed differs from what a run of it gives that nothing happened to: the
 * same events forwarded, each once, and the same alerts, late events and dead letters.
 */
export async function simulateJoins(seed: number, delivery: SimulatedDelivery, traced = false): Promise<Simulated> {
  const trace: string[] = [];
  const on = traced ? { trace: (line: string) => void trace.push(line) } : {};
  const world = new SimWorld({ seed, delivery, scene: twoStreams, ...on });
  const { tally, invariants, clock } = world;
  try {
    await world.run();
  } catch (error) {
    return { problems: [...invariants.problems, String(error)], tally, steps: clock.steps, trace };
  }
  const plain = new SimWorld({ seed, delivery: 'exactly-once', scene: twoStreams, uninterrupted: 0 });
  await plain.run();
  const [found, wanted] = [await foundIn(world), await foundIn(plain)];
  const problems = [...found].flatMap(([topic, records]) => {
    // At least once, what a lane gives out can come again; what it forwards is in the transaction of its offsets.
    const mayRepeat = delivery !== 'exactly-once' && topic in OUTPUTS;
    return differences(topic, records, wanted.get(topic)!, mayRepeat, tally);
  });
  return { problems: [...invariants.problems, ...problems], tally, steps: clock.steps, trace };
}

const OUTPUTS: Readonly<Record<string, true>> = Object.fromEntries(OUTPUT_TOPICS.map((topic) => [topic, true]));

/** All that was committed, by topic, without order: that of the partitions is not theirs alone. */
async function foundIn({ log, scene }: SimWorld): Promise<ReadonlyMap<string, readonly string[]>> {
  const infos = await log.topics();
  const found = new Map<string, string[]>();
  for (const name of [...OUTPUT_TOPICS, ...scene.routed]) {
    const partitions = infos.find((info) => info.name === name)?.partitions ?? 0;
    const shown: string[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      for (const record of await readTopic(log, name, partition)) {
        if (name in OUTPUTS) shown.push(withoutProgress(show({ ...record, headers: record.headers ?? new Map() })));
        else shown.push(...forwardedBy(record));
      }
    }
    found.set(name, shown.sort());
  }
  return found;
}

/** Which event it is, for which key, and what was told of it; nothing of a record that says how far its partition has come. */
function forwardedBy({ key, value }: LogRecord): readonly string[] {
  const envelope = decodeEnvelope(value!)!;
  if (envelope.kind !== 'event') return [];
  const { topic, partition, offset } = originOf(envelope);
  const told = [...(envelope.told?.values() ?? [])].join();
  return [`${utf8.decode(key!)}: ${topic}-${partition} at ${offset} ${told}`];
}

/** Where the watermark was when an event was found to be late depends on how its records were cut into batches. */
const withoutProgress = (shown: string): string => shown.replace(/stakeout\.watermark=[^|]*/, '');

function differences(
  topic: string,
  found: readonly string[],
  wanted: readonly string[],
  mayRepeat: boolean,
  tally: Tally,
): readonly string[] {
  tally.add(`joined: ${topic}`, wanted.length);
  const [is, must] = [countsOf(found), countsOf(wanted)];
  const problems: string[] = [];
  for (const record of new Set([...is.keys(), ...must.keys()])) {
    const [has, needs] = [is.get(record) ?? 0, must.get(record) ?? 0];
    if (has === needs || (mayRepeat && needs > 0 && has > needs)) continue;
    problems.push(`${topic}: there ${has} times, not ${needs}: ${record}`);
  }
  return problems;
}

function countsOf(records: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const record of records) counts.set(record, (counts.get(record) ?? 0) + 1);
  return counts;
}
